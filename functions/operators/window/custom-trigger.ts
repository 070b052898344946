import type { StateDescriptorShape } from '../../graph/logical-graph.ts';
import type { CustomTriggerShape } from '../../graph/window-shape.ts';
import { openKeyedState } from '../../state/keyed-state.ts';
import { limitTimers } from '../endless-timers.ts';
import type { NamedWindow } from '../../time/windows/window.ts';
import type { Trigger } from './trigger.ts';
import type { WindowScope } from './window-scope.ts';

/** A state as far as it is used here: list and reducing states merge, as Flink's merging states do. */
interface TriggerState {
  get(): unknown;
  add(value: unknown): void;
  addAll(values: unknown): void;
  clear(): void;
}

type MergingDescriptor = Pick<StateDescriptorShape, 'name' | 'kind'>;

/** The user's trigger. Its states and timers are those of the window that it is called for. */
export function customTrigger(shape: CustomTriggerShape, scope: WindowScope): Trigger {
  const context = new TriggerView(shape, scope);
  Object.assign(scope.timerOperator, { limit: limitTimers });
  const at = <T>(window: NamedWindow, call: (view: never) => T): T => {
    scope.namespace = window.text;
    return call(context as never);
  };
  return {
    onElement: (window, value, timestamp) => at(window, (view) => shape.onElement(value, timestamp, window.window, view)),
    onTime: (window, domain, time) =>
      at(window, (view) => (domain === 'event' ? shape.onEventTime : shape.onProcessingTime)(time, window.window, view)),
    onMerge: (window, merged) => {
      context.merged = merged;
      at(window, (view) => shape.onMerge?.(window.window, view));
      context.merged = [];
    },
    clear: (window) => {
      at(window, (view) => {
        shape.clear(window.window, view);
      });
      context.clearStates();
    },
    forget: (window) => {
      scope.namespace = window.text;
      context.clearStates();
    },
  };
}

/** The `ctx` of user code; its type is `TriggerContext` in api/trigger.ts. */
class TriggerView {
  readonly state: Readonly<Record<string, object>>;
  merged: readonly NamedWindow[] = [];
  private readonly scope: WindowScope;
  private readonly byName: ReadonlyMap<string, TriggerState>;

  constructor({ states }: CustomTriggerShape, scope: WindowScope) {
    const open = (descriptor: StateDescriptorShape): object =>
      openKeyedState(scope, scope.operator, { ...descriptor, name: `$trigger-${descriptor.name}` });
    this.scope = scope;
    this.state = Object.fromEntries(Object.entries(states).map(([name, descriptor]) => [name, open(descriptor)]));
    this.byName = new Map(Object.entries(states).map(([name, { name: stored }]) => [stored, this.state[name] as TriggerState]));
  }

  currentWatermark(): number {
    return this.scope.watermark;
  }

  currentProcessingTime(): number {
    return this.scope.processingTime;
  }

  registerEventTimeTimer(time: number): void {
    this.scope.timers.register('event', time, this.scope.namespace);
  }

  registerProcessingTimeTimer(time: number): void {
    if (!this.scope.isTimeOver) this.scope.timers.register('processing', time, this.scope.namespace);
  }

  deleteEventTimeTimer(time: number): void {
    this.scope.timers.unregister('event', time, this.scope.namespace);
  }

  deleteProcessingTimeTimer(time: number): void {
    this.scope.timers.unregister('processing', time, this.scope.namespace);
  }

  /** Adds what the merged windows held to the state of the window that takes their place. */
  mergePartitionedState({ name, kind }: MergingDescriptor): void {
    const state = this.byName.get(name);
    if (state === undefined || (kind !== 'list' && kind !== 'reducing'))
      throw new TypeError(`mergePartitionedState was given ${kind} state '${name}': it merges list and reducing states of the trigger`);
    const { namespace } = this.scope;
    const held = this.merged.flatMap(({ text }) => {
      this.scope.namespace = text;
      const value = state.get();
      return value === undefined ? [] : [value];
    });
    this.scope.namespace = namespace;
    for (const value of held) {
      if (kind === 'list') state.addAll(value);
      else state.add(value);
    }
  }

  clearStates(): void {
    for (const state of this.byName.values()) state.clear();
  }
}
