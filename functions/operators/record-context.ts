import { type Key, stateKey } from '../shared/key.ts';
import type { KeyScope } from '../state/keyed-state.ts';
import { KeyedStates, type OpenLivingState } from '../state/keyed-states.ts';
import type { TaskState } from '../state/task-state.ts';

/** The record (or timer) that is under way in a chain; one object a chain, set before each step. */
export class RecordContext implements KeyScope {
  /** Event time in ms, or undefined. */
  timestamp: number | undefined;
  /** Task that runs, and the place of the step in its input: the origin of what it puts out. */
  task = '';
  offset = 0;
  ordinal = 0;
  /** Number of outputs of this step so far, over all edges and sinks. */
  emission = 0;
  /** Values drawn by `random` and `uuid` in this step. */
  draws = 0;
  processingTime = -Infinity;
  /** The last timers in processing time fire: what they register in it never does. */
  isProcessingTimeOver = false;
  /** Largest log append time seen, also behind the end of the input. */
  stateTime = -Infinity;
  readonly states: KeyedStates;
  /** Highest watermark that records of this step justify; the task takes it over once the step has succeeded. */
  eventTimeSeen = -Infinity;
  /** Keys that a keyBy without a hop has set, where they are to be reported; see `BatchMetrics.keys`. */
  seenKeys: Set<string> | undefined;
  /** Records that windows have dropped in this run, because they were late. */
  lateRecords = 0;
  private current: Key | undefined;
  private text: string | undefined;
  private taskState: TaskState | undefined;

  constructor(openLiving?: OpenLivingState) {
    this.states = new KeyedStates(openLiving);
  }

  get key(): Key | undefined {
    return this.current;
  }

  set key(key: Key | undefined) {
    this.current = key;
    this.text = undefined;
  }

  /** Made when it is first asked for: a record that touches no state needs none. */
  get stateKey(): string {
    return (this.text ??= this.current === undefined ? '' : stateKey(this.current));
  }

  get state(): TaskState {
    if (!this.taskState) throw new Error('this stage keeps no state');
    return this.taskState;
  }

  set state(state: TaskState | undefined) {
    this.taskState = state;
  }
}
