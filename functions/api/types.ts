import type { StandardSchemaV1 } from '@standard-schema/spec';
import { MillraceError } from '../shared/errors.ts';

/**
 * Says of which type a state or a side output is: to the compiler, so that nobody writes generics, and to `millrace.lock.json`, so that
 * state is not read back as something else. Nothing is checked at run time.
 */
export interface TypeToken<T> {
  /** Printable type, for example `number` or `{count: number}`. */
  readonly type: string;
  /** Only for the compiler; never present. */
  readonly '~type'?: T;
}

/** A type token, or any Standard Schema (zod, valibot, arktype …), whose output type counts. */
export type TypeWitness<T> = TypeToken<T> | StandardSchemaV1<unknown, T>;

/** The type that a token or schema stands for. */
export type TypeOf<W> = W extends StandardSchemaV1 ? StandardSchemaV1.InferOutput<W> : W extends TypeToken<infer T> ? T : never;

type Fields = Readonly<Record<string, TypeWitness<unknown>>>;

function token<T>(type: string): TypeToken<T> {
  return Object.freeze({ type });
}

/** Type tokens, named as in Flink's `Types`. */
export const Types = Object.freeze({
  string: token<string>('string'),
  number: token<number>('number'),
  boolean: token<boolean>('boolean'),
  bigint: token<bigint>('bigint'),
  bytes: token<Uint8Array>('bytes'),
  date: token<Date>('date'),
  /** Any JSON value; give the type where no token or schema describes it: `Types.json<Flight>()`. */
  json: <T>(): TypeToken<T> => token<T>('json'),
  /** An array. */
  list: <T>(item: TypeWitness<T>): TypeToken<readonly T[]> => token(`list<${printType(item)}>`),
  /** A `Map`. */
  map: <K, V>(key: TypeWitness<K>, value: TypeWitness<V>): TypeToken<ReadonlyMap<K, V>> =>
    token(`map<${printType(key)}, ${printType(value)}>`),
  /** A value that may be undefined. */
  optional: <T>(value: TypeWitness<T>): TypeToken<T | undefined> => token(`${printType(value)}?`),
  /** An object with these fields. */
  object: <const F extends Readonly<Record<string, TypeWitness<unknown>>>>(
    fields: F,
  ): TypeToken<{ readonly [P in keyof F]: TypeOf<F[P]> }> => token(printFields(fields)),
});

/** True for a type token or a Standard Schema. */
export function isTypeWitness(value: unknown): value is TypeWitness<unknown> {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false;
  return '~standard' in value || ('type' in value && typeof value.type === 'string');
}

/** Printable type of a token or schema. Schemas cannot be looked into: `schema(zod)`. @throws MILLRACE_OPTION_INVALID */
export function printType(witness: TypeWitness<unknown>): string {
  if (!isTypeWitness(witness)) {
    throw new MillraceError('MILLRACE_OPTION_INVALID', 'a type is missing: give Types.number, Types.object({ … }) or a Standard Schema');
  }
  return '~standard' in witness ? `schema(${witness['~standard'].vendor})` : witness.type;
}

/** Printable type of a value, as the tokens print it: what the lock file guards for a state declared by its default. */
export function printTypeOf(value: unknown): string {
  if (value === null || value === undefined) return 'optional';
  if (Array.isArray(value)) return 'list';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof Date) return 'date';
  if (value instanceof Map) return 'map';
  if (value instanceof Set) return 'set';
  return typeof value === 'object' ? printValueFields(value) : typeof value;
}

function printFields(fields: Fields): string {
  return printRecord(Object.entries(fields).map(([name, witness]) => [name, printType(witness)]));
}

function printValueFields(value: object): string {
  return printRecord(Object.entries(value).map(([name, field]) => [name, printTypeOf(field)]));
}

/** Fields in the order of their names: writing them in another order is no other type. */
function printRecord(fields: readonly (readonly [name: string, type: string])[]): string {
  const sorted = [...fields].sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${sorted.map(([name, type]) => `${name}: ${type}`).join(', ')}}`;
}
