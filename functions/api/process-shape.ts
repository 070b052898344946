import type { CoProcessShape, ProcessShape } from '../graph/logical-graph.ts';
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

interface AnyCoProcessFunction {
  readonly state?: StateDescriptors | undefined;
  processElement1(value: never, ctx: never): unknown;
  processElement2(value: never, ctx: never): unknown;
  onTimer?(time: number, ctx: never): unknown;
}

/** As `toProcessShape`, of two inputs. @throws MILLRACE_OPTION_INVALID, MILLRACE_STATE_DUPLICATE */
export function toCoProcessShape(fn: AnyCoProcessFunction): CoProcessShape {
  checkMethods('connect().process()', fn, ['processElement1', 'processElement2']);
  const states = fn.state ?? {};
  checkStateNames('a process function', states);
  return {
    states: Object.freeze({ ...states }),
    processElement1: fn.processElement1.bind(fn) as Call<unknown>,
    processElement2: fn.processElement2.bind(fn) as Call<unknown>,
    ...(fn.onTimer !== undefined && { onTimer: fn.onTimer.bind(fn) as Call<number> }),
  };
}

/** @throws MILLRACE_OPTION_INVALID for what is no object with functions of these names. */
export function checkMethods(call: string, fn: object | undefined | null, names: readonly string[]): void {
  const missing = names.find((name) => typeof (fn as Readonly<Record<string, unknown>> | undefined | null)?.[name] !== 'function');
  if (missing === undefined) return;
  throw new MillraceError(
    'MILLRACE_OPTION_INVALID',
    `${call} needs an object with functions ${names.join(' and ')}; ${missing} is missing`,
  );
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

/** For JavaScript users: the types forbid it. @param why - And what to do. @throws MILLRACE_STATE_WITHOUT_KEY */
export function checkStateless(fn: { readonly state?: unknown; readonly onTimer?: unknown }, why: string): void {
  const has = fn.state !== undefined ? 'state' : fn.onTimer !== undefined ? 'timers' : undefined;
  if (has === undefined) return;
  throw new MillraceError('MILLRACE_STATE_WITHOUT_KEY', `a process function has ${has}, but ${why}`);
}
