import type { LogicalNode, NodeOf } from '../graph/logical-graph.ts';
import type { OperatorPlan } from '../graph/stage-plan.ts';
import type { RecordContext } from './record-context.ts';
import type { TimerEntry } from '../state/tables.ts';
import type { OperatorTimers, TimeDomain } from '../state/timer-service.ts';

export type Emit = (value: unknown) => void;

/** What an operator is built from. */
export interface OperatorSetup<K extends LogicalNode['kind']> extends OperatorPlace {
  readonly node: NodeOf<K>;
}

/** Where an operator stands, whatever it does. */
export interface OperatorPlace {
  readonly plan: OperatorPlan;
  readonly context: RecordContext;
  /** Hands a record to the main output. */
  readonly emit: Emit;
  /** The output of a side tag; records without a consumer are dropped. */
  readonly side: (tag: string) => Emit;
}

/** Builds an operator; the caller has looked it up by the kind of its node. */
export type OperatorFactory = (setup: never) => Operator;

/** By kind of node. A bundle's table holds only what its stage runs. */
export type OperatorTable = Readonly<Record<string, OperatorFactory>>;

/** One operator in a chain: synchronous, no I/O, all state in the context's task state. */
export interface Operator {
  readonly process: Emit;
  /** Of an operator with two inputs: takes the records of the second. */
  readonly processSecond?: Emit;
  /** Event time as this operator sees it and its timers, if it can have any. */
  readonly timers?: TimerOperator;
}

/** Counts a timer that is to fire; the error in its place, if it is one too many. */
export type TimerLimit = (timer: TimerEntry) => Error | undefined;

export interface TimerOperator {
  readonly pending: OperatorTimers;
  /**
   * Begins to count timers that fire at the end of the input; `last` was the last one pending. Where user code registers them, that may be for ever;
   * windows have as many as they need.
   */
  readonly limit?: (last: number) => TimerLimit;
  /** Watermark that this operator has seen; set by the chain, in topological order. */
  watermark: number;
  /** Runs what a timer is for, under the context's key. */
  fire(domain: TimeDomain, timer: TimerEntry): void;
  /** The timer has failed for good, and is gone: frees what it would have freed. Runs no code of the user's. */
  abandon?(domain: TimeDomain, timer: TimerEntry): void;
}
