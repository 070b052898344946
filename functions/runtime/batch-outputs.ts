import { FrameListMark, FrameListWriter, idleFrame } from '../codec/frame-writer.ts';
import type { ChannelWriter, OutgoingMessage } from '../channels/channel-writer.ts';
import type { Bury, TopicAppend } from '../channels/transactional-log.ts';
import type { AppliedInput, OutputOrigin, RefusedOutput, SinkWriter } from '../connectors/sink.ts';
import type { StageOutput } from '../graph/stage-plan.ts';
import { taskOf } from '../shared/distribution.ts';
import type { Key } from '../shared/key.ts';
import { refusedLetter } from './dead-letter.ts';
import { appendInOrder, type PartitionAppends } from './ordered-appends.ts';

export interface OutputsOptions {
  /** Id of the task that writes, with its generation: the upstream of its frames. */
  readonly upstream: string;
  /** Number of tasks of its stage. */
  readonly upstreamTasks: number;
  readonly outputs: readonly StageOutput[];
  readonly maxParallelism: number;
  readonly frameBytes: number;
  readonly sinks: ReadonlyMap<number, SinkWriter<unknown>>;
  /** Stage that buries what the topic of a sink refuses; undefined where it fails the batch. */
  readonly buriedBy?: string | undefined;
}

/** All edges of a batch into one channel share one list of frames a partition, in origin order. */
interface ChannelFrames {
  readonly topic: string;
  readonly writers: (UndoableWriter | undefined)[];
}

/** What every partition of every channel is told behind a batch. */
export interface FinalStep {
  /** In an empty frame if need be; undefined if it did not rise. */
  readonly watermark: number | undefined;
  /** Input offset from which the task is idle; undefined if it is not. */
  readonly idleFrom?: number | undefined;
}

/** A partition's frames, and where they stood before the step that is under way. */
interface UndoableWriter {
  readonly frames: FrameListWriter;
  readonly mark: FrameListMark;
  /** The step in which the mark was set. */
  markedIn: number;
}

/**
 * What one attempt of a batch puts out, encoded as it is put out and held until the attempt has run: nothing of a record that fails may
 * leave. Frames of one partition go out strictly one after another (I7).
 */
export class BatchOutputs {
  /** Watermark that has been sent on before the next record. */
  watermark = -Infinity;
  /** What the batch has applied, for sinks that keep a position; set before `publish` in a stage with a fence. */
  applied: AppliedInput | undefined;
  recordsOut = 0;
  bytesOut = 0;
  readonly deadLetters: OutgoingMessage[] = [];
  private readonly options: OutputsOptions;
  private readonly channels: readonly ChannelFrames[];
  private readonly channelOfOutput: readonly ChannelFrames[];
  private step = 0;
  private readonly touched: UndoableWriter[] = [];
  private readonly sinks: readonly SinkWriter<unknown>[];
  private readonly sinkMarks: number[] = [];
  private countMark = 0;
  private inputTime = 0;
  private ingestFirst = 0;
  private ingestLast = 0;

  constructor(options: OutputsOptions) {
    this.options = options;
    this.sinks = [...options.sinks.values()];
    const channels = new Map<string, ChannelFrames>();
    this.channelOfOutput = options.outputs.map(({ topic, partitions }) => {
      let channel = channels.get(topic);
      if (!channel) channels.set(topic, (channel = { topic, writers: new Array<UndoableWriter | undefined>(partitions).fill(undefined) }));
      return channel;
    });
    this.channels = [...channels.values()];
  }

  /** Log time of the input that is under way, and the source log times behind it. */
  input(time: number, ingestFirst: number, ingestLast: number): void {
    this.inputTime = time;
    this.ingestFirst = ingestFirst;
    this.ingestLast = ingestLast;
  }

  /** Begins a step (a record or a timer) that `undo` can take back. */
  begin(): void {
    this.step++;
    this.touched.length = 0;
    this.countMark = this.recordsOut;
    const { sinks, sinkMarks } = this;
    for (let i = 0; i < sinks.length; i++) sinkMarks[i] = sinks[i]?.mark() ?? 0;
  }

  undo(): void {
    for (const { frames, mark } of this.touched) frames.reset(mark);
    for (const [i, sink] of this.sinks.entries()) sink.reset(this.sinkMarks[i] ?? 0);
    this.recordsOut = this.countMark;
    this.begin();
  }

  /** Adds a record to the channel of the stage's output with this index. */
  add(output: number, origin: OutputOrigin, timestamp: number | undefined, key: Key | undefined, value: unknown): void {
    const plan = this.options.outputs[output];
    const channel = this.channelOfOutput[output];
    if (!plan || !channel) throw new RangeError(`the stage has no output ${output}`);
    if (plan.partitioner === 'broadcast') {
      for (let partition = 0; partition < plan.partitions; partition++)
        this.addTo(channel, partition, plan.tag, origin, timestamp, key, value);
      return;
    }
    const partition = key === undefined ? spread(origin, plan.partitions) : taskOf(key, this.options.maxParallelism, plan.partitions);
    this.addTo(channel, partition, plan.tag, origin, timestamp, key, value);
  }

  private addTo(
    channel: ChannelFrames,
    partition: number,
    tag: number,
    origin: OutputOrigin,
    timestamp: number | undefined,
    key: Key | undefined,
    value: unknown,
  ): void {
    const writer = (channel.writers[partition] ??= this.newWriter());
    if (writer.markedIn !== this.step) this.touch(writer);
    const { frames } = writer;
    frames.step(this.watermark);
    frames.time(this.inputTime, this.ingestFirst, this.ingestLast);
    frames.add(origin.offset, origin.ordinal, origin.emission, timestamp, tag, key, value);
    this.recordsOut++;
  }

  addToSink(node: number, origin: OutputOrigin, timestamp: number | undefined, value: unknown): void {
    const sink = this.options.sinks.get(node);
    if (!sink) throw new RangeError(`the stage has no sink ${node}`);
    sink.write(value, timestamp, origin);
    this.recordsOut++;
  }

  /**
   * Sends everything in order: frames, dead letters, sinks that are not exactly-once; resolves when all is durable. After a failure
   * nothing more is sent to any partition, and what is under way is waited for.
   *
   * @param deadLetterTopic - Undefined where the dead letters go another way.
   */
  async publish(channels: ChannelWriter, deadLetterTopic: string | undefined, final: FinalStep): Promise<void> {
    await appendInOrder(channels, this.finish(final));
    if (deadLetterTopic !== undefined && this.deadLetters.length > 0) await channels.append(deadLetterTopic, 0, this.deadLetters);
    for (const sink of this.sinks) if (!sink.take) await this.flush(sink, channels, deadLetterTopic, final.watermark === Infinity);
  }

  /** For a transaction of `appends`; undefined where what a topic refuses fails the batch. */
  burial(appends: readonly TopicAppend[], deadLetterTopic: string): Bury | undefined {
    if (this.options.buriedBy === undefined) return undefined;
    return (refused) => {
      const outputs = refused.flatMap((one) => {
        const from = appends.find(
          ({ topic, partition, messages }) => topic === one.topic && partition === one.partition && messages.includes(one.message),
        );
        const origin = from?.origins?.[from.messages.indexOf(one.message)];
        return origin ? [{ ...one, origin }] : [];
      });
      const [first] = refused;
      if (first && outputs.length < refused.length) throw first.error; // a sink that does not tell whose they are
      return [{ topic: deadLetterTopic, partition: 0, messages: this.bury(outputs) }];
    };
  }

  /** What exactly-once sinks hold of input from offset `from` on, for a transaction; they hold nothing afterwards. */
  async takeAppends(from: number): Promise<readonly TopicAppend[]> {
    const lists: TopicAppend[] = [];
    for (const sink of this.sinks) if (sink.take) lists.push(...(await sink.take(from)));
    return lists;
  }

  /** What the topic refuses of a sink's becomes dead letters, and the rest goes out: at least once, both. */
  private async flush(
    sink: SinkWriter<unknown>,
    channels: ChannelWriter,
    deadLetterTopic: string | undefined,
    isEnd: boolean,
  ): Promise<void> {
    if (deadLetterTopic === undefined || this.options.buriedBy === undefined) return sink.flush(isEnd, undefined, this.applied);
    const refused: RefusedOutput[] = [];
    await sink.flush(isEnd, (output) => refused.push(output), this.applied);
    if (refused.length > 0) await channels.append(deadLetterTopic, 0, this.bury(refused));
  }

  private bury(refused: readonly RefusedOutput[]): OutgoingMessage[] {
    const { buriedBy = '', upstream } = this.options;
    const letters = refused.map((output) => refusedLetter(buriedBy, upstream, output));
    this.deadLetters.push(...letters);
    return letters;
  }

  /** Frames that are left, one an append. */
  private finish({ watermark, idleFrom }: FinalStep): PartitionAppends[] {
    const lists: PartitionAppends[] = [];
    for (const { topic, writers } of this.channels) {
      for (let partition = 0; partition < writers.length; partition++) {
        const writer = writers[partition] ?? (watermark === undefined ? undefined : this.newWriter());
        writer?.frames.time(this.inputTime, this.ingestFirst, this.ingestLast);
        const frames = writer?.frames.finish(watermark) ?? [];
        if (idleFrom !== undefined) frames.push(idleFrame(this.options.upstream, this.options.upstreamTasks, idleFrom));
        for (const frame of frames) this.bytesOut += frame.length;
        if (frames.length > 0) lists.push({ topic, partition, appends: frames.map((value) => [{ key: null, value }]) });
      }
    }
    return lists;
  }

  private touch(writer: UndoableWriter): void {
    writer.markedIn = this.step;
    writer.frames.mark(writer.mark);
    this.touched.push(writer);
  }

  private newWriter(): UndoableWriter {
    const { upstream, upstreamTasks, frameBytes } = this.options;
    return { frames: new FrameListWriter({ upstream, upstreamTasks, maxBytes: frameBytes }), mark: new FrameListMark(), markedIn: -1 };
  }
}

/**
 * Rebalance: a partition from the origin alone. A counter in memory would send a replayed record elsewhere, which loses and doubles
 * records.
 */
function spread({ offset, ordinal, emission }: OutputOrigin, partitions: number): number {
  const mixed = Math.imul(offset ^ (offset / 0x100000000), 0x9e3779b1) ^ Math.imul(ordinal, 0x85ebca6b) ^ Math.imul(emission, 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 15)) >>> 0) % partitions;
}
