import type { StateDescriptorShape } from '../graph/logical-graph.ts';
import { MillraceError } from '../shared/errors.ts';
import type { StateDescriptors } from './state-descriptors.ts';

/** Functions of a user's object as the runtime calls them. */
type Bound<N extends string> = Readonly<Record<N, Method>>;

type Method = (...given: unknown[]) => never;

/** A process function: its states, its functions of these names and, if it has one, `onTimer`. */
type AnyProcessShape<N extends string> = Bound<N> & {
  readonly states: Readonly<Record<string, StateDescriptorShape>>;
  readonly onTimer?: Method;
};

/**
 * A process function as the runtime calls it.
 *
 * @param names - Of its functions.
 * @throws MILLRACE_OPTION_INVALID, MILLRACE_STATE_DUPLICATE
 */
export function toProcessShape<N extends string>(
  call: string,
  fn: { readonly state?: StateDescriptors | undefined; readonly onTimer?: unknown },
  names: readonly N[],
): AnyProcessShape<N> {
  const bound = bindMethods(call, fn, fn.onTimer === undefined ? names : [...names, 'onTimer' as N]);
  const states = fn.state ?? {};
  checkStateNames('a process function', states);
  return { states: Object.freeze({ ...states }), ...bound };
}

/** Functions of these names; `this` stays the user's object. @throws MILLRACE_OPTION_INVALID for what is no object that has them. */
export function bindMethods<N extends string>(call: string, fn: object, names: readonly N[]): Bound<N> {
  const methods = Object(fn) as Partial<Bound<N>>;
  const bind = (name: N): readonly [N, unknown] => {
    const method = methods[name];
    if (typeof method === 'function') return [name, method.bind(fn)];
    throw new MillraceError('MILLRACE_OPTION_INVALID', `${call}() needs an object with functions ${names.join(', ')}; ${name} is missing`);
  };
  return Object.fromEntries(names.map(bind)) as Bound<N>;
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

/** For JavaScript users: the types forbid it. @throws MILLRACE_STATE_WITHOUT_KEY */
export function checkStateless(fn: { readonly state?: unknown; readonly onTimer?: unknown }): void {
  const has = fn.state !== undefined ? 'state' : fn.onTimer !== undefined ? 'timers' : undefined;
  if (has === undefined) return;
  throw new MillraceError(
    'MILLRACE_STATE_WITHOUT_KEY',
    `a process function has ${has}, but its stream has no key: call .keyBy() before .process()`,
  );
}
