import type { StateDescriptorShape } from '../graph/logical-graph.ts';
import { isName } from '../graph/names.ts';
import type { StateShape } from '../graph/stage-plan.ts';
import { MillraceError } from '../shared/errors.ts';
import type { AggregatingState, ListState, MapState, ReducingState, ValueState } from './state.ts';
import { isTypeWitness, printType, printTypeOf, type TypeWitness } from './types.ts';

/** Declares a state; `S` is the interface under which a process function gets it in `ctx.state`. */
export interface StateDescriptor<S> extends StateDescriptorShape {
  /** Only for the compiler; never present. */
  readonly '~state'?: S;
}

/** The states of a process function, by the names under which it reads them. */
export type StateDescriptors = Readonly<Record<string, StateDescriptor<unknown>>>;

/** What `ctx.state` holds for these descriptors. */
export type StatesOf<D extends StateDescriptors> = {
  readonly [P in keyof D]: D[P] extends StateDescriptor<infer S> ? S : never;
};

export interface ReducingStateOptions<T> {
  /** Pure: combines what is held with what is added. */
  readonly reduce: (held: T, added: T) => T;
  readonly type?: TypeWitness<T>;
}

/** Flink's AggregateFunction. All three are pure; `add` may change and return the accumulator that it was given. */
export interface AggregatingStateOptions<In, Acc, Out> {
  readonly createAccumulator: () => Acc;
  readonly add: (accumulator: Acc, value: In) => Acc;
  readonly getResult: (accumulator: Acc) => Out;
}

/**
 * One value a key. With `default`, `value()` gives a fresh copy of it before the first `update`; with only a type, undefined.
 *
 * @param name - Name in the store. `millrace.lock.json` guards it and the type: renaming or retyping it is an error while planning.
 * @example valueState('stats', { default: { count: 0, total: 0 } })
 * @example valueState('last', Types.number)
 */
export function valueState<T>(
  name: string,
  options: { readonly default: NoInfer<T>; readonly type: TypeWitness<T> },
): StateDescriptor<ValueState<T, T>>;
export function valueState<T>(name: string, type: TypeWitness<T> | { readonly type: TypeWitness<T> }): StateDescriptor<ValueState<T>>;
// Last, as schemas may have a method named `default`; apart from the first, lest the default takes part in inferring T.
// eslint-disable-next-line @typescript-eslint/unified-signatures
export function valueState<T>(name: string, options: { readonly default: T }): StateDescriptor<ValueState<T, T>>;
export function valueState(name: string, options: unknown): StateDescriptor<never> {
  if (isTypeWitness(options)) return describe({ name, kind: 'value', type: printType(options) });
  const { type, default: initial } = parseValueOptions(name, options);
  return describe({
    name,
    kind: 'value',
    type: type === undefined ? printTypeOf(initial) : printType(type),
    ...(initial !== undefined && { initial: freshCopies(initial) }),
  });
}

interface ValueOptions {
  readonly type?: TypeWitness<unknown>;
  readonly default?: unknown;
}

function parseValueOptions(name: string, options: unknown): ValueOptions {
  if (typeof options === 'object' && options !== null && ('default' in options || 'type' in options)) return options as ValueOptions;
  throw new MillraceError(
    'MILLRACE_OPTION_INVALID',
    `valueState('${name}') needs a type or a default: { default: 0 }, Types.number or a schema`,
  );
}

/** A list a key. @see Flink ListState */
export function listState<T>(name: string, item: TypeWitness<T>): StateDescriptor<ListState<T>> {
  return describe({ name, kind: 'list', type: printType(item) });
}

/** A map a key, of strings or numbers to values. @see Flink MapState */
export function mapState<K extends string | number, V>(
  name: string,
  key: TypeWitness<K>,
  value: TypeWitness<V>,
): StateDescriptor<MapState<K, V>> {
  return describe({ name, kind: 'map', type: `${printType(key)}, ${printType(value)}` });
}

/** A value a key that grows by `reduce`. @see Flink ReducingState */
export function reducingState<T>(name: string, options: ReducingStateOptions<T>): StateDescriptor<ReducingState<T>> {
  const type = options.type === undefined ? 'unknown' : printType(options.type);
  return describe({ name, kind: 'reducing', type, reduce: options.reduce as (left: unknown, right: unknown) => unknown });
}

/** An accumulator a key, of another type than what is added and read. @see Flink AggregatingState */
export function aggregatingState<In, Acc, Out>(
  name: string,
  options: AggregatingStateOptions<In, Acc, Out>,
): StateDescriptor<AggregatingState<In, Out>> {
  const { createAccumulator, add, getResult } = options as AggregatingStateOptions<unknown, unknown, unknown>;
  return describe({
    name,
    kind: 'aggregating',
    type: printTypeOf(createAccumulator()),
    aggregate: { createAccumulator, add, getResult },
  });
}

function describe(shape: StateDescriptorShape & StateShape): StateDescriptor<never> {
  if (isName(shape.name)) return Object.freeze(shape);
  throw new MillraceError(
    'MILLRACE_OPTION_INVALID',
    `a state is named ${JSON.stringify(shape.name)}: give 1 to 64 of a-z, A-Z, 0-9, _ and -`,
  );
}

/** A default is never shared: user code may change what it reads. */
function freshCopies(initial: unknown): () => unknown {
  if (typeof initial !== 'object') return () => initial;
  const held = structuredClone(initial);
  return () => structuredClone(held);
}
