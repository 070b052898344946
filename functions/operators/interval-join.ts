import { cloneValue } from '../codec/clone.ts';
import { bucketMs } from '../graph/interval-shape.ts';
import { fromStateKey, stateKey } from '../shared/key.ts';
import { namespaceOf } from '../state/tables.ts';
import { OperatorTimers } from '../state/timer-service.ts';
import { drawNumber, drawUuid } from './draw.ts';
import { eventTime } from './event-time.ts';
import { type Buffered, JoinBuffer } from './join-buffer.ts';
import type { Operator, OperatorSetup, TimerOperator } from './operator.ts';

/**
 * Flink's IntervalJoinOperator: each record is kept, and meets those of the other side that are there. It is freed once no record that is
 * on time can meet it any more, so whatever was on time has met all that it had to.
 */
export function intervalJoinOperator(setup: OperatorSetup<'intervalJoin'>): Operator {
  const { node, plan, context, side, emit } = setup;
  const { lowerMs, upperMs, leftLateTag, rightLateTag, processElement } = node.interval;
  const operator = plan.uid ?? plan.name;
  const widthMs = bucketMs(node.interval);
  const timers: TimerOperator = {
    pending: new OperatorTimers(context, operator),
    watermark: -Infinity,
    fire: (_domain, timer) => {
      const [name, start] = fromStateKey(namespaceOf(timer) ?? '') as readonly [string, number];
      const freed = start + widthMs + (name === LEFT ? upperMs : -lowerMs);
      // The bounds were narrower when it was registered.
      if (freed > timers.watermark) timers.pending.register('event', freed, namespaceOf(timer));
      else (name === LEFT ? lefts : rights).free(start);
    },
  };
  const lefts = new JoinBuffer(context, operator, '$left', widthMs);
  const rights = new JoinBuffer(context, operator, '$right', widthMs);
  const view = new JoinContext(setup);

  /** True for one that is late. */
  const isLate = (time: number, value: unknown, tag: string | undefined): boolean => {
    if (time >= timers.watermark) return false;
    if (tag === undefined) context.lateRecords++;
    else side(tag)(value);
    return true;
  };

  /** @param reachMs - How much later than this record the latest one is that it can meet. */
  const keep = (name: string, buffer: JoinBuffer, record: Buffered, reachMs: number): void => {
    const start = buffer.bucketOf(record.time);
    const freed = start + widthMs + reachMs;
    if (freed <= timers.watermark) return; // all that it can meet is late
    if (buffer.add(record)) timers.pending.register('event', freed, stateKey([name, start]));
  };

  const meet = (left: Buffered, right: Buffered): void => {
    view.leftTimestamp = left.time;
    view.rightTimestamp = right.time;
    view.timestamp = context.timestamp = Math.max(left.time, right.time);
    for (const output of processElement(left.value, right.value, view as never) ?? []) emit(output);
  };

  return {
    process: (value) => {
      const left = { time: eventTime(context.timestamp, 'interval join'), value };
      if (isLate(left.time, value, leftLateTag)) return;
      keep(LEFT, lefts, left, upperMs);
      for (const right of rights.between(left.time + lowerMs, left.time + upperMs)) meet(left, cloneValue(right));
    },
    processSecond: (value) => {
      const right = { time: eventTime(context.timestamp, 'interval join'), value };
      if (isLate(right.time, value, rightLateTag)) return;
      keep(RIGHT, rights, right, -lowerMs);
      for (const left of lefts.between(right.time - upperMs, right.time - lowerMs)) meet(cloneValue(left), right);
    },
    timers,
  };
}

/** In the namespaces of timers. */
const LEFT = 'left';
const RIGHT = 'right';

/** The `ctx` of user code; its type is `ProcessJoinContext` in api/interval-join.ts. */
class JoinContext {
  leftTimestamp = NaN;
  rightTimestamp = NaN;
  timestamp = NaN;
  readonly output: (tag: { readonly name: string }, value: unknown) => void;
  readonly random: () => number;
  readonly uuid: () => string;
  private readonly setup: OperatorSetup<'intervalJoin'>;

  constructor(setup: OperatorSetup<'intervalJoin'>) {
    const { context, side } = setup;
    this.setup = setup;
    this.output = (tag, value) => {
      side(tag.name)(value);
    };
    this.random = () => drawNumber(context);
    this.uuid = () => drawUuid(context);
  }

  get key(): unknown {
    return this.setup.context.key;
  }
}
