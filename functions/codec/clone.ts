import { types } from 'node:util';
import { explainRefusal, isBaseInstance, isPlainObject, Refusal } from './not-encodable.ts';
import { setField } from './shape-reader.ts';
import { MAX_DEPTH } from './value-format.ts';

/**
 * A deep copy of an encodable value, as if it had been encoded and decoded, at a fraction of the cost. Only properties named by symbols
 * make a difference: an encoding leaves them out, a copy may have them, because looking for them would triple the cost.
 *
 * @throws MILLRACE_VALUE_NOT_ENCODABLE as `encodeValue` does.
 */
export function cloneValue<T>(value: T): T {
  if (typeof value !== 'object' || value === null) {
    if (typeof value === 'function' || typeof value === 'symbol') throw explainRefusal(new Refusal(), value);
    return value;
  }
  try {
    return copy(value, 0) as T;
  } catch (error) {
    throw explainRefusal(error, value);
  }
}

function copyItem(value: unknown, depth: number): unknown {
  if (typeof value === 'object' && value !== null) return copy(value, depth);
  if (typeof value === 'function' || typeof value === 'symbol') throw new Refusal();
  return value;
}

function copy(value: object, depth: number): unknown {
  if (depth >= MAX_DEPTH) throw new Refusal();
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) return copyPlainObject(value, depth);
  if (prototype === Array.prototype && Array.isArray(value)) return copyArray(value, depth);
  return copyOther(value, depth);
}

/** The spread takes over keys and values in one go, mostly by copying V8's layout; then only what is nested is replaced. */
function copyPlainObject(value: object, depth: number): object {
  const made: Record<string, unknown> = { ...value };
  for (const key in made) {
    const item = made[key];
    if (typeof item !== 'object' && typeof item !== 'function' && typeof item !== 'symbol') continue;
    const copied = copyItem(item, depth + 1);
    if (copied !== item) setField(made, key, copied);
  }
  return made;
}

function copyArray(value: readonly unknown[], depth: number): unknown[] {
  const made: unknown[] = [];
  for (let i = 0; i < value.length; i++) made.push(copyItem(value[i], depth + 1));
  return made;
}

/** As in the encoder, the checks hold for objects of any realm. */
function copyOther(value: object, depth: number): unknown {
  if (types.isUint8Array(value)) return new Uint8Array(value);
  if (isPlainObject(value)) return copyPlainObject(value, depth);
  if (!isBaseInstance(value)) throw new Refusal();
  if (Array.isArray(value)) return copyArray(value, depth);
  if (types.isDate(value)) return new Date(Date.prototype.getTime.call(value));
  if (types.isMap(value)) return copyMap(value, depth);
  if (types.isSet(value)) return copySet(value, depth);
  throw new Refusal();
}

function copyMap(value: ReadonlyMap<unknown, unknown>, depth: number): Map<unknown, unknown> {
  const made = new Map<unknown, unknown>();
  for (const [key, item] of value) made.set(copyItem(key, depth + 1), copyItem(item, depth + 1));
  return made;
}

function copySet(value: ReadonlySet<unknown>, depth: number): Set<unknown> {
  const made = new Set<unknown>();
  for (const item of value) made.add(copyItem(item, depth + 1));
  return made;
}
