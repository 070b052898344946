import { describe, expect, test } from '@jest/globals';
import { type as arktype } from 'arktype';
import fc from 'fast-check';
import * as v from 'valibot';
import { z } from 'zod';
import { json } from '../../../../functions/codec/json.ts';
import { isMillraceError } from '../../../../functions/shared/errors.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

function errorOf(run: () => unknown): { code: string; message: string } {
  try {
    run();
  } catch (error) {
    if (isMillraceError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('json()', () => {
  test('gives back any JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (given) => {
        expect(JSON.stringify(json().decode(json().encode(given)))).toBe(JSON.stringify(given));
      }),
    );
  });

  test('decodes bytes that are a part of a larger buffer, and Buffers', () => {
    const larger = Buffer.from('xx{"a":"ü"}xx');

    expect(json().decode(larger.subarray(2, -2))).toEqual({ a: 'ü' });
    expect(json().decode(new Uint8Array(larger).subarray(2, -2))).toEqual({ a: 'ü' });
  });

  test.each([
    ['{"a":1,}', 'unexpected character at position 7 of 8, near "{\\"a\\":1,}"'],
    ['{"secret":"0123456789","a":tru}', 'unexpected character at position 27 of 31, near "456789\\",\\"a\\":tru}"'],
    ['[1,2', 'it ends too early at position 4 of 4'],
    ['[1]2', 'unexpected character at position 3 of 4'],
    ['01', 'unexpected character at position 1 of 2'],
    ['{"a" 1}', 'unexpected character at position 5 of 7'],
    ['{1:2}', 'unexpected character at position 1 of 5'],
    ['[,]', 'unexpected character at position 1 of 3'],
    ['"a\tb"', 'a string that does not belong here, does not end or has a bad character, at position 0 of 5'],
    ['NaN', 'unexpected character at position 0 of 3'],
    [' \n', 'it is empty'],
    ['', 'it is empty'],
  ])('refuses %j and says where', (text, expected) => {
    const { code, message } = errorOf(() => json().decode(utf8(text)));

    expect(code).toBe('MILLRACE_DECODE_FAILED');
    expect(message).toContain(expected);
    expect(message.length).toBeLessThan(200);
  });

  test('refuses what is nested too deep to be followed by recursion', () => {
    const { message } = errorOf(() => json().decode(utf8('['.repeat(100_000))));

    expect(message).toContain('it ends too early at position 100000 of 100000');
  });

  test('finds the place of a broken part', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.constantFrom('', '}', ']', ',', '"', 'x', '\u0000'), (text, at, broken) => {
        const place = at % (text.length + 1);
        const changed = text.slice(0, place) + broken + text.slice(place + 1);
        const parses = ((): boolean => {
          try {
            JSON.parse(changed);
            return true;
          } catch {
            return false;
          }
        })();
        if (parses) return;

        const position = /at position (\d+) of/.exec(errorOf(() => json().decode(utf8(changed))).message)?.[1];
        // Nothing before the change can be wrong, but strings, numbers and words are reported where they begin; a quote at the change may end a
        // string that was begun by the one before it.
        const string = changed.lastIndexOf('"', changed.lastIndexOf('"', place) - 1);
        const token = changed.slice(0, place).search(/[-+.\w]*$/);
        if (position !== undefined) expect(Number(position)).toBeGreaterThanOrEqual(Math.min(token, string));
      }),
    );
  });

  test('refuses bytes that are no UTF-8 rather than changing them, but takes U+FFFD', () => {
    expect(errorOf(() => json().decode(new Uint8Array([0x22, 0xff, 0x22])))).toMatchObject({ code: 'MILLRACE_DECODE_FAILED' });
    expect(json().decode(utf8('"\ufffd"'))).toBe('\ufffd');
  });

  test.each([
    ['undefined', undefined, 'it is undefined'],
    ['a function', () => 1, 'it is a function'],
    ['a bigint', { a: 1n }, 'BigInt'],
    ['a cycle', ((cycle: { self?: unknown }) => (cycle.self = cycle))({}), 'circular'],
  ])('does not encode %s', (_, given, expected) => {
    const { code, message } = errorOf(() => json().encode(given));

    expect(code).toBe('MILLRACE_VALUE_NOT_ENCODABLE');
    expect(message).toContain(expected);
  });
});

describe.each([
  ['zod', json(z.object({ id: z.number(), tags: z.array(z.string()).default([]) }))],
  ['valibot', json(v.object({ id: v.number(), tags: v.optional(v.array(v.string()), []) }))],
  ['arktype', json(arktype({ id: 'number', tags: arktype('string[]').default(() => []) }))],
])('json(schema of %s)', (vendor, codec) => {
  test('decodes to what the schema makes of the value', () => {
    const order: { id: number; tags: string[] } = codec.decode(utf8('{"id":1}'));

    expect(order).toEqual({ id: 1, tags: [] });
    expect(codec.name).toBe(`json(${vendor})`);
  });

  test('refuses a value that does not match, with the way to each issue', () => {
    const { code, message } = errorOf(() => codec.decode(utf8('{"id":"one","tags":["a",2]}')));

    expect(code).toBe('MILLRACE_SCHEMA_MISMATCH');
    expect(message).toContain(vendor);
    expect(message).toMatch(/id: \S/);
    expect(message).toMatch(/tags\[1\]: \S/);
  });

  test('encodes without validating', () => {
    expect(textOf(codec.encode({ id: 1, tags: ['a'] }))).toBe('{"id":1,"tags":["a"]}');
    expect(textOf(codec.encode('anything' as never))).toBe('"anything"');
  });
});

describe('json(schema)', () => {
  test('validates what it encodes if told to', () => {
    const codec = json(z.object({ id: z.number() }), { validateOnEncode: true });

    expect(textOf(codec.encode({ id: 1 }))).toBe('{"id":1}');
    expect(errorOf(() => codec.encode({ id: 'one' } as never)).code).toBe('MILLRACE_SCHEMA_MISMATCH');
  });

  test('names some issues and counts the others', () => {
    const { message } = errorOf(() => json(z.array(z.number())).decode(utf8(JSON.stringify(Array.from({ length: 20 }, () => 'x')))));

    expect(message).toContain('[4]: ');
    expect(message).toContain('; and 15 more');
    expect(message).not.toContain('[5]');
  });

  test('refuses a schema that validates asynchronously', () => {
    const codec = json(z.string().refine(async () => Promise.resolve(true)));

    expect(errorOf(() => codec.decode(utf8('"a"')))).toMatchObject({
      code: 'MILLRACE_SCHEMA_MISMATCH',
      message: expect.stringContaining('did not validate the record synchronously'),
    });
  });

  test('leaves no rejection of such a schema unhandled', async () => {
    const schema = { '~standard': { version: 1, vendor: 'own', validate: () => Promise.reject(new Error('late')) } } as const;

    expect(errorOf(() => json(schema).decode(utf8('1'))).code).toBe('MILLRACE_SCHEMA_MISMATCH');
    await new Promise((resolve) => setImmediate(resolve)); // an unhandled rejection would fail this test
  });

  test('reports what a schema throws', () => {
    const validate = (): never => {
      throw new TypeError('in transform');
    };

    expect(errorOf(() => json({ '~standard': { version: 1, vendor: 'own', validate } }).decode(utf8('"a"')))).toMatchObject({
      code: 'MILLRACE_SCHEMA_MISMATCH',
      message: expect.stringContaining('in transform'),
    });
  });

  test.each([[null], [{}], ['zod'], [{ '~standard': {} }], [() => true]])('refuses %p as a schema', (given) => {
    expect(errorOf(() => json(given as never)).code).toBe('MILLRACE_OPTION_INVALID');
  });
});
