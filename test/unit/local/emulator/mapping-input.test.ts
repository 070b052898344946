import { afterEach, expect, test } from '@jest/globals';
import { MessageRecords } from '../../../../local/emulator/event-records.ts';
import { EventSourceMapping, type MappingOptions } from '../../../../local/emulator/event-source-mapping.ts';
import type { InvocationResult } from '../../../../local/emulator/function-emulator.ts';
import type { MappingInput } from '../../../../local/emulator/mapping-input.ts';
import type { PackedEvent } from '../../../../local/emulator/packed-event.ts';
import { PrefetchWindow } from '../../../../local/kafka/prefetch-window.ts';
import { Slots } from '../../../../local/slots.ts';
import { ManualLocalClock, settle } from '../manual-local-clock.ts';

const DONE = { requestId: 'r', isCold: false, durationMs: 1, logTail: '', metrics: [], error: undefined, payload: 'null' };
const FAILED = { ...DONE, error: { errorType: 'Error', errorMessage: 'no' } };

const commits: number[] = [];
const clock = new ManualLocalClock();
let mapping: EventSourceMapping | undefined;
afterEach(async () => {
  commits.length = 0;
  await mapping?.close();
});

/** A partition that can be somebody else's, with two records, and a mapping over it. */
function open(invoke: (event: PackedEvent) => Promise<InvocationResult>, options: Partial<MappingOptions> = {}): PrefetchWindow {
  const owner = {
    pause: () => undefined,
    resume: () => undefined,
    commit: (_topic: string, _partition: number, offset: number) => commits.push(offset),
    endOffset: () => Promise.resolve(2),
    committedOffset: () => Promise.resolve(0),
  };
  const window = new PrefetchWindow(owner, 't', 0);
  const input: MappingInput = {
    bootstrapServers: 'b:1',
    partitions: [window],
    isHeldBack: () => false,
    watchRoom: () => () => undefined,
    run: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  mapping = new EventSourceMapping({ input, group: 'g', windowMs: 0, clock, invoke, backOff: { firstMs: 10, maxMs: 10 }, ...options });
  void mapping.start();
  window.grant(0);
  window.push(
    new MessageRecords(
      [0, 1].map((offset) => ({
        ...{ key: null, value: Buffer.from('v'), headers: [], offset, timestamp: 0, timestampType: 'CREATE_TIME' as const, bytes: 1 },
      })),
    ),
    2,
    2,
  );
  return window;
}

test('a batch that ends after its partition has gone to another member commits nothing', async () => {
  let answer = (_: InvocationResult): void => undefined;
  const window = open(() => new Promise((resolve) => (answer = resolve)));
  await settle();

  window.revoke();
  answer(DONE);
  await settle();

  expect(commits).toEqual([]);
});

test('a batch that fails is not retried when its partition has gone, and gives its slot back', async () => {
  const slots = new Slots(1);
  let calls = 0;
  const window = open(() => Promise.resolve(++calls > 0 ? FAILED : DONE), { slots });
  await settle();
  expect(calls).toBe(1);

  window.revoke();
  await clock.advance(10);

  expect(calls).toBe(1);
  await slots.acquire('other', 0);
});

test('a partition that goes while its batch waits for a slot is not delivered, and the slot is given back', async () => {
  const slots = new Slots(1);
  await slots.acquire('other', 0);
  let calls = 0;
  const window = open(() => Promise.resolve(++calls > 0 ? DONE : FAILED), { slots });
  await settle();

  window.revoke();
  slots.release('other');
  await settle();

  expect(calls).toBe(0);
  await slots.acquire('other', 0);
});
