import type { ChannelWriter } from '../channels/channel-writer.ts';
import type { RefusedMessage, TopicAppend } from '../channels/transactional-log.ts';
import type { TopicProduction } from '../graph/stage-plan.ts';

/**
 * Where results go. `open` is called once a task and environment; nothing may leave before `flush`, because a record that fails is
 * taken back. Delivery is at least once, as a batch that is run again flushes again, unless the sink says otherwise.
 */
export interface Sink<T> {
  /** Printable kind, for example `topic` or `print`. */
  readonly kind: string;
  /** The user's topic it writes to, if it does: verified before the start. */
  readonly topic?: string;
  /** `exactly-once`: its writers have `take`, and what they keep is sent in a transaction. @default 'at-least-once' */
  readonly delivery?: 'at-least-once' | 'exactly-once';
  /**
   * Folder that it writes parts to. Each of its writers keeps a position of its own there, so each record is written once; its stage has a
   * fence, and replays the same outputs from it.
   */
  readonly folder?: string;
  /** How its topic is written to: part of the plan, as the log's client needs it also where the sink is not open. */
  readonly produces?: TopicProduction;
  /** Name that its records are collected under, for whoever runs the pipeline. */
  readonly collect?: string;
  open(context: SinkContext): SinkWriter<T>;
  /** Finds out whether it can be written to, before anything runs. @throws MILLRACE_OUTPUT_UNWRITABLE */
  check?(): Promise<void>;
}

export interface SinkContext {
  /** Name of the task that writes, with its generation. */
  readonly task: string;
  /** Its pipeline among all: `<namespace>.<pipeline>`. */
  readonly pipeline: string;
  readonly channels: ChannelWriter;
  /** Wall clock in ms, for output that is not part of the results (rate limits). */
  readonly now: () => number;
  /** Prints one line for people, where the function's own output goes. */
  readonly print: (line: string) => void;
}

/** Origin of an output, for sinks that derive a partition or a key from it. */
export interface OutputOrigin {
  readonly offset: number;
  readonly ordinal: number;
  readonly emission: number;
}

/** A message that its topic refuses, with the origin of its record. */
export interface RefusedOutput extends RefusedMessage {
  readonly origin: OutputOrigin;
}

/** The input whose outputs a flush sends, of a stage with a fence. */
export interface AppliedInput {
  /** First offset behind it. */
  readonly next: number;
  /** Largest log time of all input that the task has applied so far, in ms; −∞ where its log says nothing about that. */
  readonly lastTime: number;
  /** Largest log time of its own messages below an offset; −∞ if there is none. */
  timeBelow(offset: number): number;
}

export interface SinkWriter<T> {
  /**
   * Encodes and keeps one record. Synchronous; what it throws fails the record. (A property, as methods would let a sink of a narrower
   * type pass for one of a wider.)
   */
  readonly write: (value: T, timestamp: number | undefined, origin: OutputOrigin) => void;
  /** Number of records kept; a later `reset(mark)` takes back all since. */
  mark(): number;
  reset(mark: number): void;
  /**
   * Sends everything kept, in order, and forgets it; resolves when it is durable.
   *
   * @param isEnd - The input has ended: no record comes after these, unless the batch is run again.
   * @param onRefused - Takes messages whose timestamps are refused, which become dead letters; without it they fail the batch.
   * @param applied - Of a stage with a fence.
   */
  flush(isEnd?: boolean, onRefused?: (refused: RefusedOutput) => void, applied?: AppliedInput): Promise<void>;
  /** Instead of `flush`, for exactly-once sinks: gives the messages of records with input offset `from` and later, and forgets all. */
  take?(from: number): Promise<readonly TopicAppend[]>;
}
