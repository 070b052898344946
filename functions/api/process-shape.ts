import type { ProcessShape } from '../graph/logical-graph.ts';
import { MillraceError } from '../shared/errors.ts';
import type { StateDescriptors } from './state-descriptors.ts';

interface AnyProcessFunction {
  readonly state?: StateDescriptors | undefined;
  processElement(value: never, ctx: never): unknown;
  onTimer?(time: number, ctx: never): unknown;
}

type Call<A> = (first: A, context: never) => Iterable<unknown> | undefined;

/** The functions as the runtime calls them; `this` stays the user's object. @throws MILLRACE_OPTION_INVALID, MILLRACE_STATE_DUPLICATE */
export function toProcessShape(fn: AnyProcessFunction): ProcessShape {
  if (typeof fn.processElement !== 'function') {
    throw new MillraceError('MILLRACE_OPTION_INVALID', 'process() needs an object with a function processElement(value, ctx)');
  }
  const states = fn.state ?? {};
  checkStateNames('a process function', states);
  return {
    states: Object.freeze({ ...states }),
    processElement: fn.processElement.bind(fn) as Call<unknown>,
    ...(fn.onTimer !== undefined && { onTimer: fn.onTimer.bind(fn) as Call<number> }),
  };
}

/** @param owner - Who declares them, for the message. @throws MILLRACE_STATE_DUPLICATE */
export function checkStateNames(owner: string, states: StateDescriptors): void {
  const seen = new Set<string>();
  for (const { name } of Object.values(states)) {
    if (seen.has(name)) {
      throw new MillraceError('MILLRACE_STATE_DUPLICATE', `${owner} declares two states named '${name}': give each its own name`);
    }
    seen.add(name);
  }
}
