import type { AggregateFunctionShape, ContentsShape, WindowFunctionShape } from '../graph/window-shape.ts';
import { MillraceError } from '../shared/errors.ts';
import { checkStateNames } from './process-shape.ts';
import type { StateDescriptors } from './state-descriptors.ts';
import { printTypeOf } from './types.ts';
import type { AggregateFunction } from './window-function.ts';

type Process = WindowFunctionShape['process'];
type Simple = (...given: readonly unknown[]) => Iterable<unknown> | undefined;

/** A window function as its interfaces in window-function.ts have it, with or without a key. */
export type AnyWindowFunction =
  | ((...given: never[]) => unknown)
  | { readonly globalState?: StateDescriptors; readonly windowState?: StateDescriptors; process(...given: never[]): unknown };

/** A window function as the runtime calls it. @throws MILLRACE_OPTION_INVALID, MILLRACE_STATE_DUPLICATE */
export function toWindowFunctionShape(fn: AnyWindowFunction, hasKey: boolean): WindowFunctionShape {
  if (typeof fn === 'function') {
    const call = fn as unknown as Simple;
    return simple((key, elements, { window }) => (hasKey ? call(key, window, elements) : call(window, elements)));
  }
  if (typeof (fn as Partial<typeof fn> | undefined)?.process !== 'function')
    throw new MillraceError(
      'MILLRACE_OPTION_INVALID',
      'a window function is a function, or an object with a function process(key, elements, ctx)',
    );
  const { globalState = {}, windowState = {} } = fn;
  checkStateNames('a window function', globalState);
  checkStateNames('a window function', windowState);
  const call = fn.process.bind(fn) as unknown as Simple;
  return {
    globalStates: Object.freeze({ ...globalState }),
    windowStates: Object.freeze({ ...windowState }),
    process: hasKey ? (call as Process) : (_key, elements, context) => call(elements, context),
  };
}

/** The result of `count()`. */
export function countResult(hasKey: boolean): WindowFunctionShape {
  return simple((key, [count], { window }) => [hasKey ? { key, window, count } : { window, count }]);
}

function simple(
  process: (key: unknown, elements: readonly unknown[], context: { readonly window: unknown }) => Iterable<unknown> | undefined,
): WindowFunctionShape {
  return { globalStates: {}, windowStates: {}, process: process as Process };
}

/** @throws MILLRACE_OPTION_INVALID */
export function toAggregateContents<In, Acc, Out>(fn: AggregateFunction<In, Acc, Out>): ContentsShape {
  for (const name of ['createAccumulator', 'add', 'getResult'] as const) {
    if (typeof (fn as Partial<typeof fn> | undefined)?.[name] === 'function') continue;
    throw new MillraceError(
      'MILLRACE_OPTION_INVALID',
      `aggregate() needs an object with functions createAccumulator, add and getResult; ${name} is missing`,
    );
  }
  const aggregate = {
    createAccumulator: () => fn.createAccumulator(),
    add: (held, value) => fn.add(held as Acc, value as In),
    getResult: (held) => fn.getResult(held as Acc),
    ...(fn.merge && { merge: fn.merge.bind(fn) as AggregateFunctionShape['merge'] & object }),
  } satisfies AggregateFunctionShape;
  return { kind: 'aggregate', aggregate, type: printTypeOf(fn.createAccumulator()) };
}
