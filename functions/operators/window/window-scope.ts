import type { WindowTime } from '../../graph/window-shape.ts';
import type { KeyScope } from '../../state/keyed-state.ts';
import type { KeyedStates } from '../../state/keyed-states.ts';
import type { TaskState } from '../../state/task-state.ts';
import type { TimerOperator } from '../operator.ts';
import type { RecordContext } from '../record-context.ts';
import { WindowTimers } from './window-timers.ts';

/** The state, timers and time of a window operator, under the context's key; `namespace` is the window that is worked on. */
export class WindowScope implements KeyScope {
  readonly operator: string;
  readonly timers: WindowTimers;
  readonly timerOperator: TimerOperator;
  /** Text of the window whose state is looked at. */
  namespace = '';
  private readonly context: RecordContext;

  constructor(context: RecordContext, operator: string) {
    this.context = context;
    this.operator = operator;
    this.timers = new WindowTimers(this, operator);
    this.timerOperator = { pending: this.timers.pending, watermark: -Infinity, fire: () => undefined };
  }

  get state(): TaskState {
    return this.context.state;
  }

  get stateTime(): number {
    return this.context.stateTime;
  }

  get states(): KeyedStates {
    return this.context.states;
  }

  get stateKey(): string {
    return this.context.stateKey;
  }

  get watermark(): number {
    return this.timerOperator.watermark;
  }

  get processingTime(): number {
    return this.context.processingTime;
  }

  get isTimeOver(): boolean {
    return this.context.isProcessingTimeOver;
  }

  now(time: WindowTime): number {
    return time === 'event' ? this.watermark : this.processingTime;
  }
}
