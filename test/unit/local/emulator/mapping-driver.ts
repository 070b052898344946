import type { KafkaEvent } from '../../../../functions/runtime/lambda.ts';
import { MillraceError } from '../../../../functions/shared/errors.ts';
import { openEmbeddedInput, type EmbeddedInputOptions } from '../../../../local/emulator/embedded-input.ts';
import { EventSourceMapping, type MappingOptions } from '../../../../local/emulator/event-source-mapping.ts';
import type { InvocationResult } from '../../../../local/emulator/function-emulator.ts';
import type { PackedEvent } from '../../../../local/emulator/packed-event.ts';
import { EmbeddedLog } from '../../../../local/log/embedded-log.ts';
import { unpackEvent } from '../../../helpers/unpack-event.ts';
import { ManualLocalClock, settle } from '../manual-local-clock.ts';

/** An invocation that the test answers. */
export interface Call {
  readonly event: KafkaEvent;
  /** `topic-partition:offset,offset…` of each list in the event. */
  readonly offsets: string[];
  answer(payload?: unknown): Promise<void>;
  fail(message?: string): Promise<void>;
  throttle(): Promise<void>;
}

/** A mapping of the group `g` over the topic `t` of two partitions, with a clock and a function that the test drives by hand. */
export class MappingDriver {
  readonly clock = new ManualLocalClock();
  readonly log = new EmbeddedLog({ clock: this.clock });
  readonly calls: Call[] = [];
  private current: EventSourceMapping | undefined;

  constructor() {
    this.log.createTopic('t', 2);
  }

  get mapping(): EventSourceMapping {
    if (!this.current) throw new Error('not started');
    return this.current;
  }

  get last(): Call {
    const call = this.calls.at(-1);
    if (!call) throw new Error('there was no invocation');
    return call;
  }

  async start(options: Partial<MappingOptions & EmbeddedInputOptions & { readonly onFailureTopic: string }> = {}): Promise<void> {
    const { log, clock } = this;
    const input = openEmbeddedInput(log, { group: 'g', topics: ['t'], ...options });
    const invoke = (event: PackedEvent): Promise<InvocationResult> => this.invoke(event);
    this.current = new EventSourceMapping({
      ...{ input, clock, invoke, group: 'g', windowMs: 0 },
      backOff: { firstMs: 10, maxMs: 40 },
      ...(options.onFailureTopic === undefined ? {} : { onFailure: { topic: options.onFailureTopic, writer: log } }),
      ...options,
    });
    void this.current.start();
    await settle();
  }

  async append(partition: number, ...values: string[]): Promise<void> {
    await this.log.append(
      't',
      partition,
      values.map((value) => ({ key: null, value: Buffer.from(value) })),
    );
    await settle();
  }

  /** Committed offsets of both partitions. */
  committed(): number[] {
    return [0, 1].map((partition) => this.log.committed('g', 't', partition));
  }

  /** Closes the mapping, and answers what is in flight. */
  async close(): Promise<void> {
    const closing = this.current?.close();
    for (const call of this.calls) await call.answer();
    await closing;
  }

  private invoke(packed: PackedEvent): Promise<InvocationResult> {
    const event = unpackEvent(packed);
    const result = { requestId: 'r', isCold: false, durationMs: 1, logTail: '', metrics: [], error: undefined };
    return new Promise((resolve, reject) => {
      this.calls.push({
        event,
        offsets: Object.entries(event.records).map(([name, records]) => `${name}:${records.map(({ offset }) => offset).join()}`),
        answer: (answer = null) => (resolve({ ...result, payload: JSON.stringify(answer) }), settle()),
        fail: (errorMessage = 'no') => (resolve({ ...result, payload: '{}', error: { errorType: 'Error', errorMessage } }), settle()),
        throttle: () => (reject(new MillraceError('MILLRACE_FUNCTION_THROTTLED', 'full')), settle()),
      });
    });
  }
}
