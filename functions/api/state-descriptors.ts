import type { StateDescriptorShape, TtlShape } from '../graph/logical-graph.ts';
import { isName } from '../graph/names.ts';
import type { StateShape } from '../graph/stage-plan.ts';
import { MillraceError } from '../shared/errors.ts';
import type { AggregatingState, ListState, MapState, ReducingState, ValueState } from './state.ts';
import { type Duration, toMilliseconds } from '../shared/duration.ts';
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

/**
 * The life of what a state holds under a key: of a map each entry, of a list each item by itself. Time is processing time, as the task sees
 * it: log append time. In a stage that reads a topic with `CreateTime` there is none, and nothing expires.
 *
 * @see Flink StateTtlConfig
 */
export interface StateTtl {
  /** More than 0. */
  readonly time: Duration;
  /** What begins it anew. @default 'on-create-and-write' */
  readonly update?: 'on-create-and-write' | 'on-read-and-write';
  /**
   * Whether a read may still give what has expired, as long as it has not been freed; that read frees it.
   *
   * @default 'never-return-expired'
   */
  readonly visibility?: 'never-return-expired' | 'return-expired-if-not-cleaned-up';
}

/** What any state can be given. `T` is what it holds: of a list an item, of a map a value, of an aggregating state the accumulator. */
export interface StateOptions<T> {
  /** A duration, or more. What has expired is freed as time moves on. @default - kept until it is cleared */
  readonly ttl?: Duration | StateTtl;
  /** Of what it holds; raise it with a type that does not fit what is stored, and say how to `migrate`. @default 1 */
  readonly version?: number;
  /** Pure: makes a value of an older version one of this; called when one is first read. */
  readonly migrate?: (old: unknown, fromVersion: number) => T;
}

export interface ReducingStateOptions<T> extends StateOptions<T> {
  /** Pure: combines what is held with what is added. */
  readonly reduce: (held: T, added: T) => T;
  readonly type?: TypeWitness<T>;
}

/** Flink's AggregateFunction. All three are pure; `add` may change and return the accumulator that it was given. */
export interface AggregatingStateOptions<In, Acc, Out> extends StateOptions<Acc> {
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
  options: StateOptions<NoInfer<T>> & { readonly default: NoInfer<T>; readonly type: TypeWitness<T> },
): StateDescriptor<ValueState<T, T>>;
export function valueState<T>(
  name: string,
  type: TypeWitness<T> | (StateOptions<NoInfer<T>> & { readonly type: TypeWitness<T> }),
): StateDescriptor<ValueState<T>>;
// Last, as schemas may have a method named `default`; apart from the first, lest the default takes part in inferring T.
// eslint-disable-next-line @typescript-eslint/unified-signatures
export function valueState<T>(name: string, options: StateOptions<NoInfer<T>> & { readonly default: T }): StateDescriptor<ValueState<T, T>>;
export function valueState(name: string, options: unknown): StateDescriptor<never> {
  if (isTypeWitness(options)) return describe({ name, kind: 'value', type: printType(options) });
  const { type, default: initial, ...life } = parseValueOptions(name, options);
  return describe({
    name,
    kind: 'value',
    type: type === undefined ? printTypeOf(initial) : printType(type),
    ...(initial !== undefined && { initial: freshCopies(initial) }),
    ...lifeOf(name, life),
  });
}

interface ValueOptions extends StateOptions<unknown> {
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
export function listState<T>(name: string, item: TypeWitness<T>, options: StateOptions<NoInfer<T>> = {}): StateDescriptor<ListState<T>> {
  return describe({ name, kind: 'list', type: printType(item), ...lifeOf(name, options) });
}

/** A map a key, of strings or numbers to values. @see Flink MapState */
export function mapState<K extends string | number, V>(
  name: string,
  key: TypeWitness<K>,
  value: TypeWitness<V>,
  options: StateOptions<NoInfer<V>> = {},
): StateDescriptor<MapState<K, V>> {
  return describe({ name, kind: 'map', type: `${printType(key)}, ${printType(value)}`, ...lifeOf(name, options) });
}

/** A value a key that grows by `reduce`. @see Flink ReducingState */
export function reducingState<T>(name: string, options: ReducingStateOptions<T>): StateDescriptor<ReducingState<T>> {
  const type = options.type === undefined ? 'unknown' : printType(options.type);
  return describe({
    ...{ name, kind: 'reducing', type },
    reduce: options.reduce as (left: unknown, right: unknown) => unknown,
    ...lifeOf(name, options),
  });
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
    ...lifeOf(name, options),
  });
}

type Life = Pick<StateDescriptorShape, 'ttl' | 'version' | 'migrate'>;

/** The first version is none, so that the lock file of a state without versions stays as it is. */
function lifeOf(name: string, { ttl, version = 1, migrate }: StateOptions<unknown>): Life {
  const refuse = (why: string): MillraceError => new MillraceError('MILLRACE_OPTION_INVALID', `state '${name}' ${why}`);
  if (!Number.isSafeInteger(version) || version < 1 || version > 1 !== (typeof migrate === 'function'))
    throw refuse(`has version ${String(version)}: give 1 or more, and migrate with one above 1`);
  return {
    ...(ttl !== undefined && { ttl: parseTtl(ttl, refuse) }),
    ...(version > 1 && migrate && { version, migrate }),
  };
}

function parseTtl(given: Duration | StateTtl, refuse: (why: string) => MillraceError): TtlShape {
  const { time, update = 'on-create-and-write', visibility = 'never-return-expired' } = typeof given === 'object' ? given : { time: given };
  const ms = toMilliseconds(time);
  if (ms === 0) throw refuse('has a ttl of 0: give more');
  const [onRead, returnExpired] = [TTL_UPDATES.indexOf(update), TTL_VISIBILITIES.indexOf(visibility)];
  if (onRead < 0 || returnExpired < 0)
    throw refuse(`has ttl ${JSON.stringify(given)}: update is ${TTL_UPDATES.join(' or ')}, visibility ${TTL_VISIBILITIES.join(' or ')}`);
  return { ms, onRead: onRead > 0, returnExpired: returnExpired > 0 };
}

const TTL_UPDATES: readonly string[] = ['on-create-and-write', 'on-read-and-write'];
const TTL_VISIBILITIES: readonly string[] = ['never-return-expired', 'return-expired-if-not-cleaned-up'];

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
