import type { SourceMessage } from '../connectors/source.ts';
import type { FrameReader } from '../codec/frame-reader.ts';
import { describeOrigin } from '../shared/origin.ts';
import type { Failure } from '../state/fence.ts';
import { type DeadLetter, readableBytes } from './dead-letter.ts';
import { type InputMessage, type Replay, REPLAY_HEADER } from './kafka-event.ts';
import type { StageEngine } from './stage-engine.ts';

/** A record that is to be run. Its origin and payload are asked for only if it fails. */
export interface PendingRecord {
  origin(): string;
  /** Its place in its message, whose bytes never change. */
  readonly position: number;
  payload(): Pick<DeadLetter, 'kind' | 'key' | 'value' | 'timestamp' | 'headers'>;
  run(): Failure | undefined;
}

/** The record at which a frame's reader stands; one object a frame. */
export class FrameRecord implements PendingRecord {
  protected readonly engine: StageEngine;
  protected readonly reader: FrameReader;
  protected readonly offset: number;

  constructor(engine: StageEngine, reader: FrameReader, offset: number) {
    this.engine = engine;
    this.reader = reader;
    this.offset = offset;
  }

  origin(): string {
    return describeOrigin(this.reader.upstream, this.reader);
  }

  get position(): number {
    return this.reader.position;
  }

  payload(): ReturnType<PendingRecord['payload']> {
    const { key, timestamp, tag } = this.reader;
    return { kind: 'record', key: null, value: readableBytes({ key, value: this.value(), timestamp, tag }) };
  }

  run(): Failure | undefined {
    const { engine, reader, offset } = this;
    // Between the ordinals of the steps before and behind it (fenced-run.ts).
    return engine.runRecord(offset, 2 * reader.position + 2, reader.tag, reader.timestamp, reader.key, this);
  }

  value(): unknown {
    return this.reader.value();
  }
}

/** Makes a record of a source's message; what it throws fails the record. */
export type Decode = (message: SourceMessage) => unknown;

/** A message of a source topic that has a value. */
export class SourceRecord implements PendingRecord {
  readonly position = 0;
  private readonly engine: StageEngine;
  private readonly decode: Decode;
  private readonly task: string;
  private readonly message: InputMessage;
  private readonly ordinal: number;

  constructor(engine: StageEngine, decode: Decode, task: string, message: InputMessage, ordinal: number) {
    this.engine = engine;
    this.decode = decode;
    this.task = task;
    this.message = message;
    this.ordinal = ordinal;
  }

  origin(): string {
    return this.message.replay?.origin ?? describeOrigin(this.task, { offset: this.message.offset, ordinal: 0, emission: 0 });
  }

  payload(): ReturnType<PendingRecord['payload']> {
    const { key, value, keptHeaders: headers } = this.message;
    return { kind: 'message', key, value, timestamp: this.time, headers };
  }

  run(): Failure | undefined {
    return this.engine.runRecord(this.message.offset, this.ordinal, 0, this.time, undefined, this);
  }

  /** In ms; of a message that is replayed, its first one. */
  private get time(): number {
    return this.message.replay?.time ?? this.message.time;
  }

  value(): unknown {
    const { message } = this;
    const { replay } = message;
    return this.decode(replay ? asItWas(message, replay) : message);
  }
}

/** A message that is replayed as its source first saw it; only its offset is where it stands now. Still taken apart when it is asked for. */
function asItWas(message: InputMessage, { time }: Replay): SourceMessage {
  return {
    offset: message.offset,
    time,
    get key() {
      return message.key;
    },
    get value() {
      return message.value;
    },
    get headers() {
      return message.headers.filter(([name]) => name !== REPLAY_HEADER);
    },
  };
}
