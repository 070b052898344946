import type { ChannelWriter, OutgoingMessage } from '../../functions/channels/channel-writer.ts';
import { systemLocalClock, type LocalClock } from '../local-clock.ts';
import { Slots } from '../slots.ts';
import type { BatchVerdict } from './batch-response.ts';
import type { InvocationResult } from './function-emulator.ts';
import type { EventPart } from './kafka-event-builder.ts';
import type { InputPartition, MappingInput } from './mapping-input.ts';
import { MappingLane } from './mapping-lane.ts';
import type { PackedEvent } from './packed-event.ts';

export interface MappingOptions {
  readonly input: MappingInput;
  /** Consumer group, by which slots are counted. */
  readonly group: string;
  /**
   * How many environments the partitions are dealt out to. Each partition stays with one, which runs one batch at a time: in another one its
   * state and its producer would have to be opened anew. @default - one a partition
   */
  readonly environments?: number;
  /** Runs the function on an event, where possible in the environment of this name. @throws MILLRACE_FUNCTION_THROTTLED */
  readonly invoke: (event: PackedEvent, environment: string) => Promise<InvocationResult>;
  /** Most records of a batch, 1 to 10000. @default 100, as Lambda's */
  readonly batchSize?: number;
  /** Longest wait for a fuller batch, from the append of its first record, in ms. @default 500, as Lambda's */
  readonly windowMs?: number;
  /** Most bytes of an event. @default 6291456, Lambda's limit */
  readonly maxPayloadBytes?: number;
  /** Packs several partitions into one event, as Lambda may. @default false */
  readonly mixPartitions?: boolean;
  /** Honors `batchItemFailures` (Lambda: provisioned mode only). @default false */
  readonly partialBatchResponse?: boolean;
  /** Retries before a batch goes to the on-failure topic; -1: until it succeeds. @default -1 */
  readonly maxRetries?: number;
  readonly onFailure?: { readonly topic: string; readonly writer: ChannelWriter };
  /** Waits between attempts of a failing batch, in ms. @default 100, doubled up to 5000 */
  readonly backOff?: { readonly firstMs: number; readonly maxMs: number };
  /** Shared with other mappings. @default - no limit */
  readonly slots?: Slots;
  /** Rank for slots; the higher comes first. @default 0 */
  readonly priority?: number;
  readonly clock?: LocalClock;
  /** Told of every invocation that was not throttled, before its offsets are committed. */
  readonly onInvocation?: (result: InvocationResult, parts: readonly EventPart[], verdict: BatchVerdict) => void;
}

/** `closing`: what is in flight ends, nothing new begins. */
export type MappingState = 'enabled' | 'paused' | 'closing';

export interface MappingStats {
  /** Batches that got through, whole or in part. */
  batches: number;
  /** Messages of the log that got through, and their bytes there. */
  records: number;
  bytes: number;
  /** Invocations of a batch after one that failed. */
  retries: number;
  throttles: number;
  /** Batches that went to the on-failure topic. */
  givenUp: number;
  lastFailure: string | undefined;
}

/** What lanes need of their mapping. */
export interface MappingContext extends Required<Omit<MappingOptions, 'mixPartitions' | 'onFailure' | 'environments'>> {
  readonly stats: MappingStats;
  state(): MappingState;
  isHurried(): boolean;
  toFailureTopic(part: EventPart, messages: readonly OutgoingMessage[]): Promise<void>;
}

/**
 * Lambda's Kafka event source mapping over the embedded log or a real Kafka: in order and one batch at a time per partition, at least once; a failing
 * batch comes again, whole, until it succeeds.
 */
export class EventSourceMapping {
  readonly stats: MappingStats = { batches: 0, records: 0, bytes: 0, retries: 0, throttles: 0, givenUp: 0, lastFailure: undefined };
  readonly options: MappingOptions;
  private readonly lanes: readonly MappingLane[];
  private runs: readonly Promise<void>[] = [];
  private current: MappingState = 'paused';
  private hurried = false;

  /** Nothing is delivered before `start`. */
  constructor(options: MappingOptions) {
    this.options = options;
    const { partitions } = options.input;
    const lanes = options.mixPartitions ? [partitions] : partitions.map((partition) => [partition]);
    const context = this.toContext();
    this.lanes = lanes.map((lane, i) => new MappingLane(lane, this.environmentAt(i), context));
  }

  get state(): MappingState {
    return this.current;
  }

  /** Messages that are not committed yet, over all partitions. */
  get lag(): number {
    return this.options.input.partitions.reduce((sum, { lag }) => sum + lag, 0);
  }

  /** Name of the environment that runs batches of a partition, and the owner of their slots. */
  environmentOf(partition: InputPartition): string {
    const { input, mixPartitions } = this.options;
    return this.environmentAt(mixPartitions ? 0 : input.partitions.indexOf(partition));
  }

  /** Delivers until `close`. The promise rejects if the input breaks, or the mapping itself, which is a defect of the harness. */
  start(): Promise<void> {
    this.current = 'enabled';
    this.runs = [this.options.input.run(), ...this.lanes.map((lane) => lane.run())];
    return Promise.all(this.runs).then(() => undefined);
  }

  /** Begins nothing and retries nothing until `resume`; what is in flight goes on. */
  pause(): void {
    this.change('paused');
  }

  resume(): void {
    this.change('enabled');
  }

  /** Nothing more is to be expected: batches no longer wait to become fuller. */
  hurry(): void {
    this.hurried = true;
    for (const lane of this.lanes) lane.nudge();
  }

  /** Begins nothing more and waits for what is in flight; a batch that was being retried stays uncommitted. */
  async close(): Promise<void> {
    this.change('closing');
    const [reading, ...lanes] = this.runs;
    await Promise.allSettled(lanes);
    await this.options.input.close();
    await reading?.catch(() => undefined);
  }

  private environmentAt(lane: number): string {
    const { group, environments = Infinity } = this.options;
    return `${group}#${lane % environments}`;
  }

  private change(state: MappingState): void {
    if (this.current === 'closing') return;
    this.current = state;
    for (const lane of this.lanes) lane.nudge();
  }

  private toContext(): MappingContext {
    const { onFailure } = this.options;
    return {
      batchSize: 100,
      windowMs: 500,
      maxPayloadBytes: 6_291_456,
      partialBatchResponse: false,
      maxRetries: -1,
      backOff: { firstMs: 100, maxMs: 5000 },
      slots: new Slots(Infinity),
      priority: 0,
      clock: systemLocalClock,
      onInvocation: () => undefined,
      ...this.options,
      stats: this.stats,
      state: () => this.current,
      isHurried: () => this.hurried,
      toFailureTopic: async ({ partition }, messages) => {
        if (!onFailure) return;
        const { topic, writer } = onFailure;
        await writer.append(topic, partition % (await writer.partitionCount(topic)), messages);
      },
    };
  }
}
