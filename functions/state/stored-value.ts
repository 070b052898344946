import { decodeValue } from '../codec/value.ts';
import { MillraceError } from '../shared/errors.ts';

/** Whether a decoded value is what it has to be. */
export type Check = (value: unknown) => boolean;

export const isText: Check = (value) => typeof value === 'string';
export const isNumber: Check = (value) => typeof value === 'number' && !Number.isNaN(value);
/** An offset, a number of things, an index. */
export const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;

export function listOf(check: Check): Check {
  return (value) => Array.isArray(value) && value.every(check);
}

/** A map from texts. */
export function mapOf(check: Check, isKey: Check = isText): Check {
  return (value) => value instanceof Map && [...value].every(([key, item]) => isKey(key) && check(item));
}

export function setOf(check: Check): Check {
  return (value) => value instanceof Set && [...value].every(check);
}

/** An object or tuple with these fields, perhaps with others. */
export function recordOf(fields: Readonly<Record<string, Check>> | readonly Check[]): Check {
  const checks = Object.entries(fields);
  return (value) => typeof value === 'object' && value !== null && checks.every(([name, check]) => check((value as Row)[name]));
}

type Row = Readonly<Record<string, unknown>>;

/** Decodes what a store gave. @throws MILLRACE_STATE_CORRUPT, which calls it `what` */
export function decodeStored(bytes: Uint8Array, what: string): unknown {
  try {
    return decodeValue(bytes);
  } catch (cause) {
    throw stateCorrupt(what, `its ${bytes.length} bytes are no value in Millrace's encoding, or were written by a newer version`, cause);
  }
}

export function stateCorrupt(what: string, why: string, cause?: unknown): MillraceError {
  return new MillraceError(
    'MILLRACE_STATE_CORRUPT',
    `${what} in the state store is damaged: ${why}. See that nothing but Millrace writes there; restore it, or give the pipeline a new generation.`,
    { cause },
  );
}
