import { types } from 'node:util';
import { MillraceError } from '../shared/errors.ts';
import { MAX_DEPTH } from './value-format.ts';

/**
 * Thrown inside the encoder and the copier, which keep no path while they run; `explainRefusal` turns it into the coded error by walking
 * the value again.
 */
export class Refusal extends Error {
  readonly tooLarge: boolean;

  constructor(tooLarge = false) {
    super(tooLarge ? 'too large' : 'not encodable');
    this.tooLarge = tooLarge;
  }
}

/** True for a plain object of any realm: its prototype is null, or has none itself. */
export function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** True for an object whose class derives from Object directly, as Map, Set, Date and Array do in every realm; false for subclasses. */
export function isBaseInstance(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return typeof prototype === 'object' && prototype !== null && isPlainObject(prototype);
}

/** The coded error for what an encoder threw; anything but a refusal (a getter that throws) passes through. */
export function explainRefusal(thrown: unknown, value: unknown): unknown {
  if (thrown instanceof RangeError && /string length/.test(thrown.message)) return tooLargeError('value', thrown);
  if (!(thrown instanceof Refusal)) return thrown;
  if (thrown.tooLarge) return tooLargeError('value', thrown);
  const found = findRefused(value, 'value', [], new Set()) ?? { path: 'value', what: 'changing while it is read' };
  return new MillraceError(
    'MILLRACE_VALUE_NOT_ENCODABLE',
    `${found.path} is ${found.what}. Records and state hold JSON values, undefined, Date, bigint, Uint8Array, Map, Set, NaN and infinities, ` +
      `nested up to ${MAX_DEPTH} deep; convert it to one of these first.`,
  );
}

function tooLargeError(path: string, cause: unknown): MillraceError {
  return new MillraceError(
    'MILLRACE_VALUE_TOO_LARGE',
    `${path} is too large to encode; split it up, or store it elsewhere and pass a reference.`,
    {
      cause,
    },
  );
}

interface Refused {
  readonly path: string;
  readonly what: string;
}

/** `clear` holds the objects already found to be fine, so that one that is referred to often is walked once. */
function findRefused(value: unknown, path: string, above: readonly unknown[], clear: Set<unknown>): Refused | undefined {
  if (typeof value === 'function') return { path, what: value.name ? `the function ${value.name}` : 'a function' };
  if (typeof value === 'symbol') return { path, what: 'a symbol' };
  if (typeof value !== 'object' || value === null || clear.has(value)) return undefined;
  if (above.includes(value)) return { path: shorten(path), what: 'part of a cycle: it contains itself' };
  if (above.length >= MAX_DEPTH) return { path: shorten(path), what: 'nested too deep' };
  const entries = entriesOf(value);
  if (!entries) return { path, what: describeInstance(value) };
  const inside = [...above, value];
  for (const [step, item] of entries) {
    const found = findRefused(item, path + step, inside, clear);
    if (found) return found;
  }
  clear.add(value);
  return undefined;
}

/** What is inside of a container, with the way to it; undefined for an object that can't be encoded itself. */
function entriesOf(value: object): [step: string, item: unknown][] | undefined {
  if (types.isUint8Array(value)) return [];
  if (Array.isArray(value) && isBaseInstance(value)) return (value as unknown[]).map((item, i) => [`[${i}]`, item]);
  if (types.isDate(value) && isBaseInstance(value)) return [];
  if (types.isSet(value) && isBaseInstance(value)) return [...value].map((item: unknown, i) => [`.values()[${i}]`, item]);
  if (types.isMap(value) && isBaseInstance(value)) {
    return [...value].flatMap(([key, item]: [unknown, unknown], i) => [
      [`.keys()[${i}]`, key],
      [typeof key === 'string' ? `.get(${JSON.stringify(key)})` : `.values()[${i}]`, item],
    ]);
  }
  if (!isPlainObject(value)) return undefined;
  return Object.entries(value).map(([key, item]) => [/^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`, item]);
}

function describeInstance(value: object): string {
  const { constructor } = value as { readonly constructor?: unknown };
  const name = typeof constructor === 'function' ? constructor.name : '';
  return name && name !== 'Object' ? `an instance of ${name}` : 'an object with a prototype of its own';
}

function shorten(path: string): string {
  return path.length <= 120 ? path : `${path.slice(0, 100)}…`;
}
