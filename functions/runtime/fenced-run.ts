import { type FrameReader, openFrame } from '../codec/frame-reader.ts';
import type { PipelinePlan, StagePlan } from '../graph/stage-plan.ts';
import { MillraceError } from '../shared/errors.ts';
import { stateKey } from '../shared/key.ts';
import { describeOrigin } from '../shared/origin.ts';
import { compareOrigins, type Failure, type Fence, type Mark, type Verdict } from '../state/fence.ts';
import type { TaskState } from '../state/task-state.ts';
import { areAllIdle, minimumWatermark, roundWatermark } from '../time/watermark.ts';
import type { BatchOutputs } from './batch-outputs.ts';
import { deadLetterMessage, recordFailed } from './dead-letter.ts';
import { addIngest, type Ingest } from './metrics.ts';
import { type Decode, FrameRecord, type PendingRecord, SourceRecord } from './pending-record.ts';
import { admitReplay, DEAD_LETTERS, REPLAY_UPSTREAM, ReplayedRecord } from './replayed-record.ts';
import { type InputMessage, logTime, type Replay } from './kafka-event.ts';
import type { Probe, StageEngine, StepPlace } from './stage-engine.ts';

/** A fence in the making. */
type Draft = { -readonly [K in keyof Fence]: Fence[K] } & {
  marks: Map<string, Mark>;
  watermarks: Map<string, number>;
  idle: Set<string>;
  taskCounts: Map<string, number>;
  verdicts: Map<number, number>;
};

export interface RunInput {
  readonly plan: PipelinePlan;
  readonly stage: StagePlan;
  readonly engine: StageEngine;
  readonly task: string;
  /** Decodes the messages of a source; undefined for a channel. */
  readonly decode: Decode | undefined;
  readonly fence: Fence;
  readonly state: TaskState;
  readonly outputs: BatchOutputs;
  /** Given on runs that are compared with another. */
  readonly probe: Probe | undefined;
  readonly keys: Set<string> | undefined;
}

/** The one upstream of a stage with a fence that reads a source: its own watermark generator. */
const GENERATOR = 'source';

/**
 * The await-free part of a batch (A5): from a fence, and the state that belongs to it, to the next fence. Changes are journaled in the
 * state, outputs kept. All of a message or nothing.
 */
export class FencedRun {
  readonly draft: Draft;
  /** Messages applied. */
  applied = 0;
  /** Of the message under way. */
  offset = -1;
  recordsIn = 0;
  duplicates = 0;
  /** Gaps of the source inside of the batch. */
  gaps = 0;
  readonly ingest: Ingest[] = [];
  /** Records of one message that failed: all must be taken back, and only the messages before it may be applied. */
  readonly cuts: Verdict[] = [];
  tombstones = 0;
  /** Repeated attempts of single records and timers. */
  retries = 0;
  /** Records that windows have dropped, because they were late. */
  lateRecords = 0;
  private readonly input: RunInput;
  private readonly startWatermark: number;
  /** An upstream has been declared idle in this batch. */
  private heardIdle = false;

  constructor(input: RunInput) {
    const { fence, engine, outputs, task, state, probe } = input;
    this.input = input;
    this.startWatermark = fence.watermark;
    this.draft = {
      ...fence,
      marks: new Map(fence.marks),
      watermarks: new Map(fence.watermarks),
      idle: new Set(fence.idle),
      taskCounts: new Map(fence.taskCounts),
      verdicts: new Map(fence.verdicts),
    };
    outputs.watermark = fence.watermark;
    const { watermark, processingTime, lastTime } = fence;
    const stateTime = lastTime < 0 ? -Infinity : lastTime;
    engine.begin({ task, state, outputs, watermark, processingTime, stateTime, keys: input.keys, ...(probe && { probe }) });
  }

  /** Applies messages until one is cut, or `enough` says to commit what there is; at least one. */
  apply(messages: readonly InputMessage[], enough: () => boolean): void {
    const { decode } = this.input;
    for (const message of messages) {
      this.offset = message.offset;
      if (message.offset > this.draft.next) this.noteGap(message);
      if (decode) this.applySourceMessage(message, decode);
      else this.applyFrame(message);
      if (this.cuts.length > 0) return;
      this.draft.next = message.offset + 1;
      this.forgetVerdicts();
      if (message.isLogTime) this.draft.lastTime = Math.max(this.draft.lastTime, message.time);
      this.applied++;
      if (enough()) return;
    }
  }

  /** The watermark that every partition gets at the end of the batch; undefined if it has not risen. */
  get risenWatermark(): number | undefined {
    return this.draft.watermark > this.startWatermark ? this.draft.watermark : undefined;
  }

  /**
   * The input offset from which the task is idle itself, for every partition that it writes to; undefined if it is not. It is told each
   * time that an upstream is declared so, as the frames of a replay would end it behind.
   */
  get idleFrom(): number | undefined {
    const { watermarks, idle, next } = this.draft;
    return this.heardIdle && areAllIdle(watermarks, idle, this.expectedUpstreams()) ? next : undefined;
  }

  /** A gap inside of the batch, where nothing is left to doubt: a source's is counted as one before the batch is. */
  private noteGap(message: InputMessage): void {
    const { decode, task } = this.input;
    if (!decode) throw channelGap(task, this.draft.next, message.offset);
    this.draft.gaps++;
    this.gaps++;
  }

  /** Verdicts are about one message: applied, or gone since, as compaction may take it. */
  private forgetVerdicts(): void {
    const { draft } = this;
    if (draft.decided < 0 || draft.decided >= draft.next) return;
    draft.verdicts.clear();
    draft.decided = -1;
    draft.failures = [];
  }

  private applySourceMessage(message: InputMessage, decode: Decode): void {
    const { engine, outputs, task, plan } = this.input;
    const { draft } = this;
    outputs.input(logTime(message), message.time, message.time);
    if (message.end) {
      draft.generator = Infinity;
    } else {
      this.tick(message);
      const { replay } = message;
      if (replay) this.applyReplayedMessage(message, replay, decode);
      else if (message.hasValue) {
        this.settleRecord(new SourceRecord(engine, decode, task, message, 2));
        addIngest(this.ingest, message.time);
        draft.generator = Math.max(draft.generator, engine.context.eventTimeSeen);
      } else this.tombstones++;
    }
    this.advance({ offset: message.offset, ordinal: 3 }, GENERATOR, roundWatermark(draft.generator, plan.settings.watermarkIntervalMs));
  }

  /** A dead letter that was appended to its topic again. It moves no watermark; one of another stage is none of ours. */
  private applyReplayedMessage(message: InputMessage, { group, origin }: Replay, decode: Decode): void {
    const { engine, state, stage, task } = this.input;
    if (group === stage.group && admitReplay(state, 'dead', origin)) this.settleRecord(new SourceRecord(engine, decode, task, message, 2));
    else this.duplicates++;
  }

  private applyFrame(message: InputMessage): void {
    const { value } = message;
    if (value === null)
      throw new MillraceError(
        'MILLRACE_FRAME_CORRUPT',
        `offset ${message.offset} of a channel is a tombstone; only Millrace may write to a channel`,
      );
    const reader = openFrame(value);
    this.input.outputs.input(message.time, reader.ingestFirst, reader.ingestLast);
    this.tick(message);
    if (reader.upstreamTasks > 0) this.draft.taskCounts.set(stageOf(reader.upstream), reader.upstreamTasks);
    if (reader.idleFrom !== undefined) this.declareIdle({ offset: message.offset, ordinal: 1 }, reader.upstream, reader.idleFrom);
    else this.draft.idle.delete(reader.upstream);
    const before = this.recordsIn;
    if (reader.upstream === REPLAY_UPSTREAM) this.applyReplays(message, reader);
    else this.applyRecords(message, reader);
    if (this.recordsIn > before) this.ingest.push([reader.ingestFirst, reader.ingestLast, this.recordsIn - before]);
    const last = reader.stepAt(reader.count);
    if (last !== undefined) this.advance({ offset: message.offset, ordinal: 2 * reader.count + 1 }, reader.upstream, last);
  }

  /** A record at or below the mark has been applied already; one above it first lets the step before it happen (protocol section 3). */
  private applyRecords(message: InputMessage, reader: FrameReader): void {
    const { upstream } = reader;
    const mark = this.draft.marks.get(upstream);
    const record = new FrameRecord(this.input.engine, reader, message.offset);
    let last: Mark | undefined;
    while (reader.next()) {
      const { position } = reader;
      if (mark && compareOrigins(reader, mark) <= 0) {
        this.dropDuplicate(reader, mark);
        continue;
      }
      const step = reader.stepAt(position);
      if (step !== undefined) this.advance({ offset: message.offset, ordinal: 2 * position + 1 }, upstream, step);
      this.settleRecord(record);
      // The largest time seen: the end of a bounded input has none of its own, and copies of frames before it may still come.
      last = {
        offset: reader.offset,
        ordinal: reader.ordinal,
        emission: reader.emission,
        time: Math.max(mark?.time ?? 0, reader.lastTime),
      };
    }
    if (last) this.draft.marks.set(upstream, last);
  }

  /** Dead letters that come back, on the terms of the state. They are behind no step, and may be late. */
  private applyReplays(message: InputMessage, reader: FrameReader): void {
    const record = new ReplayedRecord(this.input.engine, reader, message.offset);
    while (reader.next()) {
      if (record.admit(this.input.state)) this.settleRecord(record);
      else this.duplicates++;
    }
  }

  private dropDuplicate(reader: FrameReader, mark: Mark): void {
    if (reader.firstTime > mark.time) {
      throw new MillraceError(
        'MILLRACE_UPSTREAM_WENT_BACK',
        `${reader.upstream} sends origin ${describeOrigin('', reader)}, which was applied before, from input of a later time: ` +
          'its input topic has been recreated; give the pipeline a new generation before it goes on',
      );
    }
    this.duplicates++;
  }

  /**
   * Runs a record, unless a committed verdict says that it is a dead letter: then it is skipped without running, so that no attempt
   * ever publishes beyond an undecided record. One that fails is taken back, which leaves what skipping it will leave; so the rest of its
   * message shows which others fail, and one commit decides them all.
   */
  private settleRecord(record: PendingRecord): void {
    const { draft } = this;
    this.recordsIn++;
    const index = draft.decided === this.offset ? draft.verdicts.get(record.position) : undefined;
    if (index !== undefined) {
      this.bury(record.origin(), draft.failures[index] ?? UNKNOWN_FAILURE, record.payload());
      return;
    }
    const failure = record.run();
    if (!failure) {
      if (draft.watermark === Infinity) this.fireBehindEnd(record.position);
      return;
    }
    if (this.input.plan.settings.onError === 'fail') throw recordFailed(this.input.task, record.origin(), failure);
    this.cuts.push({ position: record.position, failure });
  }

  /** Only what is replayed comes behind the end of the input, and no watermark will fire what it has registered. */
  private fireBehindEnd(position: number): void {
    const place = { offset: this.offset, ordinal: 2 * position + 3 };
    const { engine } = this.input;
    const onFailure = this.buryTimer(place.offset);
    engine.end(place, onFailure);
  }

  private bury(origin: string, failure: Failure, payload: Payload): void {
    const { outputs, state, stage, task } = this.input;
    outputs.deadLetters.push(deadLetterMessage({ origin, failure, stage: stage.id, task, ...payload }));
    state.set(state.table(DEAD_LETTERS), stateKey(origin), true);
  }

  private readonly buryTimer =
    (offset: number) =>
    (failure: Failure, timer: string): void => {
      const { outputs, stage, task, plan } = this.input;
      const origin = `${task}:${offset} ${timer}`;
      if (plan.settings.onError === 'fail') throw recordFailed(task, origin, failure);
      outputs.deadLetters.push(
        deadLetterMessage({ origin, failure, stage: stage.id, task, kind: 'timer', key: null, value: Buffer.from(timer) }),
      );
    };

  /** Processing time is the largest log append time seen. */
  private tick(message: InputMessage): void {
    if (!message.isLogTime || message.time <= this.draft.processingTime) return;
    this.draft.processingTime = message.time;
    this.input.engine.advanceProcessingTime({ offset: message.offset, ordinal: 0 }, message.time, this.buryTimer(message.offset));
  }

  /** An upstream's watermark; the task's rises to the minimum of all, fires timers, and only then stands before further outputs. */
  private advance(place: StepPlace, upstream: string, watermark: number): void {
    const { draft } = this;
    if (watermark <= (draft.watermarks.get(upstream) ?? -Infinity)) return;
    draft.watermarks.set(upstream, watermark);
    this.rise(place);
  }

  /** The declaration is as old as its offset: who has been heard of from there on is not idle, and who has ended never will be. */
  private declareIdle(place: StepPlace, upstream: string, offset: number): void {
    const { draft } = this;
    if (draft.watermarks.get(upstream) === Infinity) return;
    if ((draft.marks.get(upstream)?.offset ?? -1) >= offset) return;
    draft.idle.add(upstream);
    this.heardIdle = true;
    this.rise(place);
  }

  private rise(place: StepPlace): void {
    const { draft } = this;
    const risen = minimumWatermark(draft.watermarks, draft.idle, this.expectedUpstreams());
    if (risen <= draft.watermark) return;
    draft.watermark = risen;
    const { engine, outputs } = this.input;
    const onFailure = this.buryTimer(place.offset);
    if (risen < Infinity) engine.advanceWatermark(place, risen, onFailure);
    else {
      draft.processingTime = Infinity; // processing time ends with the input, or its timers would never fire
      engine.end(place, onFailure);
    }
    outputs.watermark = risen;
  }

  /** Number of upstream tasks that must have been heard of, from the plan or from the frames' own task counts. */
  private expectedUpstreams(): number {
    const { input } = this.input.stage;
    if (input.kind === 'source') return 1;
    let expected = 0;
    for (const { stage, parallelism } of input.upstreams) expected += parallelism ?? this.draft.taskCounts.get(stage) ?? Infinity;
    return expected;
  }
}

/** Messages of a channel are gone: its offsets have no gaps of their own. */
export function channelGap(task: string, next: number, first: number): MillraceError {
  return new MillraceError(
    'MILLRACE_CHANNEL_GAP',
    `task ${task}: the channel's next offset is ${next}, but ${first} comes; messages in between are gone. ` +
      'Check the retention of the channel topic; start the pipeline with a new generation to go on without them',
  );
}

const UNKNOWN_FAILURE: Failure = { code: 'MILLRACE_USER_FUNCTION', message: '', stack: '', attempts: 0 };

type Payload = ReturnType<PendingRecord['payload']>;

function stageOf(upstream: string): string {
  return upstream.slice(0, upstream.indexOf('/'));
}
