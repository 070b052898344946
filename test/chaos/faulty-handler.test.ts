/** What the fault layer does to batches is what a mapping and an environment may do: in order, without gaps, until all is through. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { KafkaEvent, StageHandler } from '../../functions/runtime/lambda.ts';
import { FaultLog } from './fault-log.ts';
import { FaultyHandler } from './faulty-handler.ts';
import type { Tripwire } from './tripwire.ts';

const ANSWER = { batchItemFailures: [] };
const BATCHES = 300;
const BATCH = 10;

class Crash extends Error {}

function batch(first: number): KafkaEvent {
  const record = (offset: number) => ({ topic: 't', partition: 0, offset, timestamp: 0, timestampType: 'LOG_APPEND_TIME' });
  return { eventSource: 'aws:kafka', records: { 't-0': Array.from({ length: BATCH }, (_, i) => record(first + i)) } };
}

/** A task as simple as can be: its fence is shared by all instances, as a store is. */
class Task {
  next = 0;
  readonly commits: string[] = [];
  readonly open =
    (wire: Tripwire): StageHandler =>
    async (event) => {
      const offsets = ((event as KafkaEvent).records['t-0'] ?? []).map(({ offset }) => offset);
      const read = this.next;
      expect(offsets).toEqual(offsets.map((_, i) => (offsets[0] ?? 0) + i)); // as they stand in the log
      expect(offsets[0]).toBeLessThanOrEqual(read); // no gap
      await wire.pass('before publish');
      await wire.pass('after publish');
      await wire.pass('before commit');
      if (read !== this.next) throw new Error('conflict');
      this.next = Math.max(read, (offsets.at(-1) ?? 0) + 1);
      await wire.pass('after commit');
      return ANSWER;
    };
}

describe('the fault layer of the chaos suite', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-chaos-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('brings every batch through, whatever happens to it, and notes each fault', async () => {
    const log = new FaultLog(join(folder, 'all'));
    const task = new Task();
    const options = { seed: 3, log, open: task.open, crash: () => Promise.reject(new Crash()) };
    let environment = new FaultyHandler(options);
    for (let first = 0; first < BATCHES * BATCH; first += BATCH) {
      await environment.handle(batch(first), undefined).catch(async (error: unknown) => {
        expect(error).toBeInstanceOf(Crash);
        environment = new FaultyHandler(options);
        await environment.handle(batch(first), undefined);
      });
      expect(task.next).toBe(first + BATCH);
    }

    const counts = Object.fromEntries(log.counts());
    for (const fault of [
      'crash before publish',
      'crash after publish',
      'crash after commit',
      'batch delivered twice',
      'batch cut anew',
      'zombie woken',
    ])
      expect([fault, counts[fault]]).not.toEqual([fault, 0]);
  });

  test('does the same to the same batches with the same seed, and something else with another', async () => {
    const countsOf = async (name: string, seed: number): Promise<unknown> => {
      const log = new FaultLog(join(folder, name));
      const handler = new FaultyHandler({ seed, log, open: new Task().open, crash: () => Promise.reject(new Crash()) });
      for (let first = 0; first < BATCHES * BATCH; first += BATCH)
        await handler.handle(batch(first), undefined).catch(() => handler.handle(batch(first), undefined));
      return Object.fromEntries(log.counts());
    };

    const first = await countsOf('first', 5);
    await expect(countsOf('second', 5)).resolves.toEqual(first);
    await expect(countsOf('third', 6)).resolves.not.toEqual(first);
  });

  test('a fault that has been noted is not noted again', () => {
    const log = new FaultLog(join(folder, 'noted'));

    expect([log.note('crash after commit', 'a/b'), log.note('crash after commit', 'a/b')]).toEqual([true, false]);
    expect(log.counts().get('crash after commit')).toBe(1);
  });
});
