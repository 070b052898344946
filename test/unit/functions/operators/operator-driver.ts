import { type BuildFunction, type Key, pipeline } from '../../../../functions/index.ts';
import { ALL_OPERATORS } from '../../../../functions/operators/all-operators.ts';
import type { Operator, OperatorFactory } from '../../../../functions/operators/operator.ts';
import { RecordContext } from '../../../../functions/operators/record-context.ts';
import { fromStateKey } from '../../../../functions/shared/key.ts';
import { TaskState } from '../../../../functions/state/task-state.ts';
import type { TimeDomain } from '../../../../functions/state/timer-service.ts';

/** A result, and the timestamp that it came with. */
export type Emitted = readonly [value: unknown, timestamp: number | undefined];

/** One keyed operator on a state in memory, without a stage around it: for many small runs, and to look into the state. */
export class OperatorDriver {
  readonly results: Emitted[] = [];
  /** By tag. */
  readonly sides: Record<string, unknown[]> = {};
  readonly failures: unknown[] = [];
  readonly state = new TaskState(0);
  readonly context = new RecordContext();
  private readonly operator: Operator;

  /** @param build - Records the operator as the last one. */
  constructor(build: BuildFunction) {
    const node = pipeline('driver', build).build().nodes.at(-1);
    const factory = ALL_OPERATORS[node?.kind as keyof typeof ALL_OPERATORS] as OperatorFactory | undefined;
    if (!node || !factory) throw new TypeError(`${node?.kind ?? 'nothing'} is no operator`);
    const plan = { node: node.id, kind: node.kind, uid: 'w', name: 'w', inputs: [], keyed: true, states: [] };
    const setup = {
      ...{ node, plan, context: this.context },
      emit: (value: unknown) => this.results.push([value, this.context.timestamp]),
      side: (tag: string) => (value: unknown) => (this.sides[tag] ??= []).push(value),
    };
    this.operator = factory(setup as never);
    this.context.state = this.state;
  }

  get lateRecords(): number {
    return this.context.lateRecords;
  }

  /** Gives the operator, or its first input, a record. */
  first(key: Key, at: number | undefined, value: unknown): void {
    this.at(key, at).process(value);
  }

  second(key: Key, at: number | undefined, value: unknown): void {
    const { processSecond } = this.at(key, at);
    if (!processSecond) throw new TypeError('the operator has one input');
    processSecond(value);
  }

  watermark(time: number): void {
    const { timers } = this.operator;
    if (timers) timers.watermark = time;
    this.fireDue('event', time);
  }

  processingTime(time: number): void {
    this.context.processingTime = time;
    this.fireDue('processing', time);
  }

  /** Entries by table, of the tables that hold any. */
  entries(): Record<string, number> {
    const held = this.state.allTables().filter(({ entries }) => entries.size > 0);
    return Object.fromEntries(held.map(({ id, entries }) => [id, entries.size]));
  }

  private at(key: Key, at: number | undefined): Operator {
    this.context.key = key;
    this.context.timestamp = at;
    return this.operator;
  }

  private fireDue(domain: TimeDomain, until: number): void {
    const { timers } = this.operator;
    if (!timers) return;
    for (let timer = timers.pending.firstDue(domain, until); timer; timer = timers.pending.firstDue(domain, until)) {
      const mark = this.state.mark();
      timers.pending.remove(domain, timer);
      this.context.key = fromStateKey(timer.stateKey);
      try {
        timers.fire(domain, timer);
      } catch (error) {
        // As the engine does after the last attempt.
        this.failures.push(error);
        this.state.rollback(mark);
        timers.pending.remove(domain, timer);
        timers.abandon?.(domain, timer);
      }
    }
  }
}
