import { crc32c } from '../shared/hash.ts';
import { encodeValue } from '../codec/value.ts';
import type { NodeOf } from '../graph/logical-graph.ts';
import type { TimerOperator } from '../operators/operator.ts';
import { RecordContext } from '../operators/record-context.ts';
import { MillraceError } from '../shared/errors.ts';
import { fromStateKey, type Key, keyBytes, parseKey } from '../shared/key.ts';
import type { Failure } from '../state/fence.ts';
import { namespaceOf, type TimerEntry } from '../state/tables.ts';
import type { TaskState } from '../state/task-state.ts';
import type { TimeDomain } from '../state/timer-service.ts';
import type { BatchOutputs } from './batch-outputs.ts';
import { describeFailure } from './dead-letter.ts';
import { buildChain, type ChainExits, type OperatorChain, type StageCode } from './operator-chain.ts';

/** Hashes of what each operator emitted in one run of a batch; two runs from the same state must have equal ones. */
export type Probe = Map<number, number>;

/** What the engine works on during one run of a batch. */
export interface RunTarget {
  readonly task: string;
  /** Undefined in a stage without a fence, none of whose operators keeps state. */
  readonly state: TaskState | undefined;
  readonly outputs: BatchOutputs;
  readonly watermark: number;
  readonly processingTime: number;
  /** Largest log append time applied, in ms; −∞ if none. States expire by it. */
  readonly stateTime: number;
  /** Given on runs that are compared with another. */
  readonly probe?: Probe;
  /** Takes the keys of a keyBy without a hop, where they are to be reported. */
  readonly keys?: Set<string> | undefined;
}

/** The place of a step in the task's input: the origin of its outputs. */
export interface StepPlace {
  readonly offset: number;
  readonly ordinal: number;
}

/**
 * A stage's operators with the machinery around one step: set the context, run, and take everything back if user code throws. One a
 * environment; a run is synchronous from `begin` to its end, so tasks can share it.
 */
export class StageEngine {
  readonly context: RecordContext;
  retries = 0;
  private target: RunTarget | undefined;
  private readonly plain: OperatorChain;
  private readonly probed: OperatorChain;
  private readonly code: StageCode;
  private readonly maxAttempts: number;
  private timerEmission = 0;
  private lateMark = 0;
  private timerPlace: StepPlace | undefined;

  constructor(code: StageCode, maxAttempts: number) {
    this.code = code;
    this.maxAttempts = maxAttempts;
    this.context = new RecordContext(code.states?.living);
    const exits = this.exits();
    this.plain = buildChain(code, this.context, exits);
    this.probed = buildChain(code, this.context, {
      ...exits,
      probe: (node, value) => {
        this.mix(node, encodeValue(value));
      },
    });
  }

  begin(target: RunTarget): void {
    this.target = target;
    this.context.state = target.state;
    this.context.task = target.task;
    this.context.processingTime = target.processingTime;
    this.context.stateTime = target.stateTime;
    if (target.state) this.context.states.check(target.state);
    this.context.seenKeys = target.keys;
    this.context.eventTimeSeen = -Infinity; // another task's, or another attempt's, says nothing about records that a verdict skips
    this.context.lateRecords = 0;
    this.context.isProcessingTimeOver = false;
    this.retries = 0;
    this.timerPlace = undefined;
    for (const timers of this.chain.timers) timers.watermark = target.watermark;
  }

  /** Runs one record. Its value is decoded anew for every attempt: a failed one may have changed it. */
  runRecord(
    offset: number,
    ordinal: number,
    tag: number,
    timestamp: number | undefined,
    key: Key | undefined,
    record: { value(): unknown },
  ): Failure | undefined {
    const { context, chain } = this;
    const mark = this.beginStep();
    for (let attempt = 1; ; attempt++) {
      this.setPlace(offset, ordinal, 0);
      try {
        context.timestamp = timestamp;
        context.key = key;
        chain.input(tag, record.value());
        return undefined;
      } catch (error) {
        const failure = this.undoStep(mark, 0, error, attempt);
        if (failure) return failure;
      }
    }
  }

  /** A new watermark: each operator in turn sees it and fires its timers, in the order (time, key, window). */
  advanceWatermark(place: StepPlace, watermark: number, onFailure: (failure: Failure, timer: string) => void): void {
    this.numberTimers(place);
    for (const timers of this.chain.timers) {
      timers.watermark = watermark;
      this.fireDue(place, timers, 'event', watermark, onFailure);
    }
  }

  /**
   * No more input comes: all timers fire, those in event time first. Processing time is over with it, so what is registered in it from here on
   * does not fire, or a timer that is always registered again would for ever.
   */
  end(place: StepPlace, onFailure: (failure: Failure, timer: string) => void): void {
    this.advanceWatermark(place, Infinity, onFailure);
    this.context.isProcessingTimeOver = true;
    this.advanceProcessingTime(place, Infinity, onFailure);
    this.advanceWatermark(place, Infinity, onFailure); // what the last timers have registered
    this.context.isProcessingTimeOver = false;
  }

  advanceProcessingTime(place: StepPlace, time: number, onFailure: (failure: Failure, timer: string) => void): void {
    this.numberTimers(place);
    this.context.processingTime = time;
    if (time < Infinity) {
      this.context.stateTime = time;
      this.context.states.freeExpired();
    }
    for (const timers of this.chain.timers) this.fireDue(place, timers, 'processing', time, onFailure);
  }

  /** All timers that fire in one place share one numbering: at the end of the input those of both time domains do. */
  private numberTimers(place: StepPlace): void {
    if (this.timerPlace?.offset === place.offset && this.timerPlace.ordinal === place.ordinal) return;
    this.timerPlace = place;
    this.timerEmission = 0;
  }

  private get chain(): OperatorChain {
    return this.target?.probe ? this.probed : this.plain;
  }

  private fireDue(
    place: StepPlace,
    timers: TimerOperator,
    domain: TimeDomain,
    until: number,
    onFailure: (failure: Failure, timer: string) => void,
  ): void {
    const { context } = this;
    const limit = until === Infinity ? timers.limit?.(timers.pending.last(domain)) : undefined;
    for (;;) {
      const timer = timers.pending.firstDue(domain, until);
      if (!timer) return;
      const excess = limit?.(timer);
      const failure = excess ? describeFailure(excess, 1) : this.fire(place, timers, domain, timer);
      this.timerEmission = context.emission;
      if (failure) {
        timers.pending.remove(domain, timer); // a timer that keeps failing is gone, and a dead letter
        timers.abandon?.(domain, timer);
        const namespace = namespaceOf(timer);
        const ofWindow = namespace === undefined ? '' : ` and window ${namespace}`;
        onFailure(failure, `${domain} timer ${timer.time} of ${timers.pending.operator} and key ${timer.stateKey}${ofWindow}`);
      }
    }
  }

  private fire(place: StepPlace, timers: TimerOperator, domain: TimeDomain, timer: TimerEntry): Failure | undefined {
    const { context, timerEmission } = this;
    const mark = this.beginStep();
    for (let attempt = 1; ; attempt++) {
      this.setPlace(place.offset, place.ordinal, timerEmission);
      try {
        timers.pending.remove(domain, timer);
        context.key = fromStateKey(timer.stateKey);
        timers.fire(domain, timer);
        return undefined;
      } catch (error) {
        const failure = this.undoStep(mark, timerEmission, error, attempt);
        if (failure) return failure;
      }
    }
  }

  /** Begins a step (a record or a timer): state, timers and outputs of a failed attempt are taken back before the next. */
  private beginStep(): number {
    const { state, outputs } = this.running();
    outputs.begin();
    this.lateMark = this.context.lateRecords;
    return state?.mark() ?? 0;
  }

  private setPlace(offset: number, ordinal: number, emission: number): void {
    const { context } = this;
    context.offset = offset;
    context.ordinal = ordinal;
    context.emission = emission;
    context.draws = 0;
    context.eventTimeSeen = -Infinity;
  }

  /** Takes a failed attempt back; its failure, if it was the last. */
  private undoStep(mark: number, emission: number, error: unknown, attempt: number): Failure | undefined {
    const { state, outputs } = this.running();
    state?.rollback(mark);
    outputs.undo();
    this.context.eventTimeSeen = -Infinity;
    this.context.lateRecords = this.lateMark;
    this.context.emission = emission;
    if (attempt >= this.maxAttempts) return describeFailure(error, attempt);
    this.retries++;
    return undefined;
  }

  private exits(): ChainExits {
    const { context } = this;
    const selectors = this.code.stage.outputs.map(({ keyNode }) => (keyNode === null ? undefined : this.selector(keyNode)));
    return {
      channel: (output, value) => {
        const select = selectors[output];
        const key = select === undefined ? undefined : parseKey(select(value));
        const { outputs, probe } = this.running();
        if (probe && key !== undefined) this.mix(this.code.stage.outputs[output]?.keyNode ?? -1, keyBytes(key));
        outputs.add(output, context, context.timestamp, key, value);
        context.emission++;
      },
      sink: (node, value) => {
        const { offset, ordinal, emission } = context; // a copy: the sink may keep it
        this.running().outputs.addToSink(node, { offset, ordinal, emission }, context.timestamp, value);
        context.emission++;
      },
    };
  }

  private selector(node: number): NodeOf<'keyBy'>['key'] {
    const found = this.code.graph.nodes[node];
    if (found?.kind === 'keyBy') return found.key;
    throw new MillraceError(
      'MILLRACE_PLAN_MISMATCH',
      `the plan takes keys from operator ${node}, which is no keyBy in this pipeline; plan it again`,
    );
  }

  private mix(node: number, bytes: Uint8Array): void {
    const probe = this.running().probe;
    if (probe) probe.set(node, (Math.imul(probe.get(node) ?? 0, 31) ^ crc32c(bytes)) >>> 0);
  }

  private running(): RunTarget {
    if (!this.target) throw new Error('begin() comes first');
    return this.target;
  }
}
