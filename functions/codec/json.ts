import type { StandardSchemaV1 } from '@standard-schema/spec';
import { MillraceError } from '../shared/errors.ts';
import type { Codec } from './codec.ts';
import { findJsonError } from './json-error.ts';
import { checkSchema, validate } from './schema.ts';
import { decodeUtf8 } from './utf8.ts';

export interface JsonOptions {
  /**
   * Validate what is encoded, too: for sinks. Only for a schema without transformations, since what is checked is the value that is
   * written, and that is written as it was given.
   *
   * @default false
   */
  readonly validateOnEncode?: boolean;
}

/**
 * JSON in UTF-8, as `JSON.parse` and `JSON.stringify` have it. With a schema of any Standard Schema library (zod, valibot, arktype), decoded
 * values are validated, and are what the schema makes of them; validation has to be synchronous.
 *
 * @throws MILLRACE_DECODE_FAILED, MILLRACE_SCHEMA_MISMATCH when decoding; MILLRACE_VALUE_NOT_ENCODABLE when encoding undefined or a
 * bigint; MILLRACE_OPTION_INVALID for a schema that is none. Without a schema nothing is checked: the type of the values
 * is then whatever the caller says.
 */
export function json<T = unknown>(): Codec<T>;
export function json<S extends StandardSchemaV1>(schema: S, options?: JsonOptions): Codec<StandardSchemaV1.InferOutput<S>>;
export function json(schema?: StandardSchemaV1, options?: JsonOptions): Codec<unknown> {
  if (schema === undefined) return { name: 'json', encode: encodeJson, decode: decodeJson };
  checkSchema(schema);
  const name = `json(${schema['~standard'].vendor})`;
  const encode = options?.validateOnEncode ? (value: unknown) => (validate(schema, value), encodeJson(value)) : encodeJson;
  return { name, encode, decode: (bytes) => validate(schema, decodeJson(bytes)) };
}

/** Its declared type leaves out that undefined, functions and symbols give undefined. */
const stringify: (value: unknown) => string | undefined = JSON.stringify;

function encodeJson(value: unknown): Uint8Array {
  let text: string | undefined;
  try {
    text = stringify(value);
  } catch (error) {
    throw notEncodable(error instanceof Error ? error.message : 'it cannot be turned into JSON', error);
  }
  if (text === undefined)
    throw notEncodable(`it is ${value === undefined ? 'undefined' : `a ${typeof value}`}, which JSON does not have`, undefined);
  return Buffer.from(text);
}

function decodeJson(bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new MillraceError('MILLRACE_DECODE_FAILED', `the record is no JSON: ${findJsonError(text)}`, { cause: error });
  }
}

function notEncodable(reason: string, cause: unknown): MillraceError {
  return new MillraceError(
    'MILLRACE_VALUE_NOT_ENCODABLE',
    `a value cannot be written as JSON: ${reason}. Map it to JSON values first, for example a bigint to a string.`,
    { cause },
  );
}
