import { openKeyedState } from '../../state/keyed-state.ts';
import type { NamedWindow } from '../../time/windows/window.ts';
import { drawNumber, drawUuid } from '../draw.ts';
import type { OperatorSetup } from '../operator.ts';
import type { WindowScope } from './window-scope.ts';

/** What is done with the contents of a window that fires. */
export interface WindowFunction {
  /** Results have the largest timestamp of the window. */
  run(window: NamedWindow, elements: readonly unknown[]): void;
  /** The window is over: its states go. */
  clear(window: NamedWindow): void;
}

export function createWindowFunction(setup: OperatorSetup<'window'>, scope: WindowScope): WindowFunction {
  const { node, context, emit } = setup;
  const { apply, contents } = node.window;
  const view = new WindowView(setup, scope);
  return {
    run: (window, elements) => {
      // A fold of nothing, as an evictor may leave it, has no result.
      if (elements.length === 0 && contents.kind !== 'elements') return;
      const { timestamp } = context;
      context.timestamp = window.maxTimestamp;
      if (apply === undefined) for (const element of elements) emit(element);
      else {
        view.window = window.window;
        scope.namespace = window.text;
        for (const output of apply.process(context.key, elements, view as never) ?? []) emit(output);
      }
      context.timestamp = timestamp;
    },
    clear: (window) => {
      scope.namespace = window.text;
      view.clearStates();
    },
  };
}

/** The `ctx` of user code; its type is `WindowContext` in api/window-function.ts. */
class WindowView {
  window: unknown;
  readonly globalState: Readonly<Record<string, object>>;
  readonly windowState: Readonly<Record<string, object>>;
  readonly output: (tag: { readonly name: string }, value: unknown) => void;
  readonly random: () => number;
  readonly uuid: () => string;
  private readonly scope: WindowScope;

  constructor({ node, context, side }: OperatorSetup<'window'>, scope: WindowScope) {
    const { globalStates = {}, windowStates = {} } = node.window.apply ?? {};
    this.scope = scope;
    this.globalState = mapFields(globalStates, (descriptor) => openKeyedState(context, scope.operator, descriptor));
    this.windowState = mapFields(windowStates, (descriptor) =>
      openKeyedState(scope, scope.operator, { ...descriptor, name: `$window-${descriptor.name}` }),
    );
    this.output = (tag, value) => {
      side(tag.name)(value);
    };
    this.random = () => drawNumber(context);
    this.uuid = () => drawUuid(context);
  }

  currentWatermark(): number {
    return this.scope.watermark;
  }

  currentProcessingTime(): number {
    return this.scope.processingTime;
  }

  clearStates(): void {
    for (const state of Object.values(this.windowState)) (state as { clear(): void }).clear();
  }
}

function mapFields<T, R>(fields: Readonly<Record<string, T>>, change: (field: T) => R): Readonly<Record<string, R>> {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, change(field)]));
}
