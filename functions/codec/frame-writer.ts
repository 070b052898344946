import { MillraceError } from '../shared/errors.ts';
import type { Key } from '../shared/key.ts';
import { assembleFrame } from './frame-assembly.ts';
import type { FrameHeader, WatermarkStep } from './frame-format.ts';
import { FrameSegment, type RecordMeta, SegmentMark } from './frame-segment.ts';
import { explainRefusal, Refusal } from './not-encodable.ts';

export interface FrameListOptions {
  /** Task, with its generation, that sends the frames. */
  readonly upstream: string;
  /** Number of tasks of its stage. */
  readonly upstreamTasks: number;
  /** A frame whose records take more bytes is cut, unless it is a single record. */
  readonly maxBytes: number;
  /** A record that takes more bytes is refused. @default 1 MiB less 16 KiB for what goes around it: Kafka's usual limit */
  readonly maxRecordBytes?: number;
}

/** A point to come back to with `reset`; of use only to the writer that set it. One object can be set again and again. */
export class FrameListMark {
  segments = 0;
  readonly last = new SegmentMark();
  noted = -Infinity;
  sent = -Infinity;
}

const DEFAULT_MAX_RECORD_BYTES = 0x100000 - 0x4000;
const FIRST_BUFFER_BYTES = 0x1000;

/**
 * The frames of one batch for one partition of one channel: records in the order of their origins, encoded as they are added, with the
 * watermark steps between them. Where the list is cut changes nothing in what readers see.
 */
export class FrameListWriter {
  private readonly options: Required<FrameListOptions>;
  private readonly segments: FrameSegment[] = [];
  /** Watermark that stands before the next record. */
  private noted = -Infinity;
  /** Last watermark in a step. */
  private sent = -Infinity;
  private inputTime = 0;
  private ingestFirst = 0;
  private ingestLast = 0;
  private readonly meta: RecordMeta = { offset: 0, ordinal: 0, emission: 0, timestamp: undefined, tag: 0, key: undefined };

  constructor(options: FrameListOptions) {
    this.options = { maxRecordBytes: DEFAULT_MAX_RECORD_BYTES, ...options };
  }

  /** Number of records. */
  get count(): number {
    let count = 0;
    for (const segment of this.segments) count += segment.count;
    return count;
  }

  /** Log times behind the records that follow: of the input, and the earliest and latest in a source topic. */
  time(inputTime: number, ingestFirst: number, ingestLast: number): void {
    this.inputTime = inputTime;
    this.ingestFirst = ingestFirst;
    this.ingestLast = ingestLast;
  }

  /** The watermark that stands before the next record; becomes a step if it differs from the last one. −∞ says nothing. */
  step(watermark: number): void {
    this.noted = watermark;
  }

  /**
   * Adds a record. Later changes of `value` change nothing in it. After an error the writer is as it was before.
   *
   * @throws MILLRACE_VALUE_NOT_ENCODABLE; MILLRACE_VALUE_TOO_LARGE over `maxRecordBytes`; RangeError if the origin is not above that of
   * the record before.
   */
  add(
    offset: number,
    ordinal: number,
    emission: number,
    timestamp: number | undefined,
    tag: number,
    key: Key | undefined,
    value: unknown,
  ): void {
    const { meta } = this;
    meta.offset = offset;
    meta.ordinal = ordinal;
    meta.emission = emission;
    meta.timestamp = timestamp;
    meta.tag = tag;
    meta.key = key;
    let segment = this.segments.at(-1) ?? this.addSegment(FIRST_BUFFER_BYTES);
    this.encode(segment, value);
    if (segment.count > 0 && this.isTooLong(segment)) {
      segment.discard();
      segment = this.addSegment(Math.min(segment.values.bytes.length, this.options.maxBytes));
      this.encode(segment, value);
    }
    if (this.noted !== this.sent) this.addStep(segment);
    segment.keep(meta, this.inputTime, this.ingestFirst, this.ingestLast);
  }

  mark(mark = new FrameListMark()): FrameListMark {
    const { segments } = this;
    mark.segments = segments.length;
    segments.at(-1)?.mark(mark.last);
    mark.noted = this.noted;
    mark.sent = this.sent;
    return mark;
  }

  /** Takes back every record and step since the mark, wherever frames were cut. */
  reset(mark: FrameListMark): void {
    this.segments.length = mark.segments;
    this.segments.at(-1)?.reset(mark.last);
    this.noted = mark.noted;
    this.sent = mark.sent;
  }

  /**
   * The frames, in the order in which they have to be sent: none if there is neither a record nor a watermark to tell.
   *
   * @param finalWatermark - Where the watermark stands after the batch; a step of the last frame.
   */
  finish(finalWatermark: number | undefined): Uint8Array[] {
    const final = finalWatermark ?? this.noted;
    const segments = this.segments.filter((segment) => segment.count > 0);
    const last = segments.at(-1);
    const frames = segments.map((segment) => {
      const { steps, count } = segment;
      const withFinal = segment === last && final !== this.sent ? [...steps, { position: count, watermark: final }] : steps;
      return assembleFrame(this.header(segment), withFinal, segment);
    });
    if (last || final === this.sent) return frames;
    return [assembleFrame(this.header(undefined), [{ position: 0, watermark: final }], undefined)];
  }

  private encode(segment: FrameSegment, value: unknown): void {
    const { maxRecordBytes } = this.options;
    try {
      segment.encode(this.meta, value, maxRecordBytes);
    } catch (error) {
      throw error instanceof Refusal && error.tooLarge ? recordTooLarge(undefined, maxRecordBytes) : explainRefusal(error, value);
    }
    if (segment.mostBytes > maxRecordBytes) this.checkRecordBytes(segment);
  }

  private checkRecordBytes(segment: FrameSegment): void {
    const { recordBytes } = segment;
    if (recordBytes <= this.options.maxRecordBytes) return;
    segment.discard();
    throw recordTooLarge(recordBytes, this.options.maxRecordBytes);
  }

  /** Over the cap, or, where text may take three bytes a character, over what the topic takes. */
  private isTooLong(segment: FrameSegment): boolean {
    return segment.bytes > this.options.maxBytes || segment.mostBytes > this.options.maxRecordBytes;
  }

  private addSegment(bytes: number): FrameSegment {
    const segment = new FrameSegment(bytes);
    this.segments.push(segment);
    return segment;
  }

  private addStep(segment: FrameSegment): void {
    const step: WatermarkStep = { position: segment.count, watermark: this.noted };
    segment.steps.push(step);
    this.sent = this.noted;
  }

  private header(segment: FrameSegment | undefined): FrameHeader {
    const { upstream, upstreamTasks } = this.options;
    const { inputTime, ingestFirst, ingestLast } = this;
    if (!segment) return { upstream, upstreamTasks, firstTime: inputTime, lastTime: inputTime, ingestFirst, ingestLast, count: 0 };
    return { upstream, upstreamTasks, ...segment.times, count: segment.count };
  }
}

/** A frame without records that moves processing time; `clock` names who sent it, and nobody keeps a mark of it. */
export function tickFrame(clock: string, time: number): Uint8Array {
  const header = { upstream: clock, upstreamTasks: 0, firstTime: time, lastTime: time, ingestFirst: time, ingestLast: time, count: 0 };
  return assembleFrame(header, [], undefined);
}

/**
 * A frame by which a task counts as idle downstream, until its next one. Whoever sends it knows that the task has applied all input below
 * `offset`, that its output is in the log, and that there was no more input.
 */
export function idleFrame(upstream: string, upstreamTasks: number, offset: number): Uint8Array {
  const times = { firstTime: 0, lastTime: 0, ingestFirst: 0, ingestLast: 0 };
  return assembleFrame({ upstream, upstreamTasks, ...times, count: 0, idleFrom: offset }, [], undefined);
}

function recordTooLarge(bytes: number | undefined, limit: number): MillraceError {
  return new MillraceError(
    'MILLRACE_VALUE_TOO_LARGE',
    `the record takes ${bytes === undefined ? 'too many' : bytes} bytes, a channel's topic takes ${limit}; ` +
      'put out smaller records, or store the payload elsewhere and pass a reference.',
  );
}
