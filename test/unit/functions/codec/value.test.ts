import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runInNewContext } from 'node:vm';
import { decodeValue, encodeValue } from '../../../../functions/codec/value.ts';
import { isMillraceError } from '../../../../functions/shared/errors.ts';
import { value } from './arbitraries.ts';

const roundTrip = (given: unknown): unknown => decodeValue(encodeValue(given));

describe('encodeValue and decodeValue', () => {
  test('give back any value', () => {
    fc.assert(
      fc.property(value, (given) => expect(roundTrip(given)).toStrictEqual(given)),
      { numRuns: 300 },
    );
  });

  test('give equal bytes for equal values, whatever was encoded before', () => {
    fc.assert(
      fc.property(value, value, (given, other) => {
        const first = encodeValue(given);
        encodeValue(other);
        expect(encodeValue(roundTrip(given))).toStrictEqual(first);
      }),
    );
  });

  test('keep −0, NaN, infinities and the order of keys', () => {
    expect(roundTrip([-0, NaN, Infinity, -Infinity])).toStrictEqual([-0, NaN, Infinity, -Infinity]);
    expect(Object.keys(roundTrip({ b: 1, a: 2, 1: 3 }) as object)).toEqual(['1', 'b', 'a']);
  });

  test('keep a key named constructor', () => {
    expect(JSON.stringify(roundTrip({ constructor: 1, a: { constructor: 'x' } }))).toBe('{"constructor":1,"a":{"constructor":"x"}}');
  });

  test('keep a key named __proto__ as a property of its own', () => {
    const given: unknown = JSON.parse('{"__proto__": {"isAdmin": true}, "b": 1}');
    const many = Array.from({ length: 200 }, () => given); // enough for a generated constructor

    for (const got of [roundTrip(given), ...(roundTrip(many) as unknown[])] as Record<string, unknown>[]) {
      expect(Object.getPrototypeOf(got)).toBe(Object.prototype);
      expect(Object.hasOwn(got, '__proto__')).toBe(true);
      expect(got['isAdmin']).toBeUndefined();
    }
  });

  test('read objects of one shape alike before and after a constructor is generated for it', () => {
    const keys = ['a', '"quoted"', 'with space', "it's", '\u2028', '}); throw 1; ({', '__proto__', '1', '\ud800', ''];
    const many = Array.from({ length: 500 }, (_, i) => Object.fromEntries(keys.map((key, k) => [key, i * k])));

    expect(roundTrip(many)).toStrictEqual(many);
  });

  test('read objects of the same shape where code may not be generated from strings', () => {
    const withoutEval = globalThis.Function;
    const many = Array.from({ length: 500 }, (_, i) => ({ noEval: i, other: 'x' }));
    const bytes = encodeValue(many);
    try {
      globalThis.Function = (() => {
        throw new EvalError('Code generation from strings disallowed for this context');
      }) as unknown as FunctionConstructor;
      expect(decodeValue(bytes)).toStrictEqual(many);
    } finally {
      globalThis.Function = withoutEval;
    }
  });

  test('take more shapes and more keys than a table holds', () => {
    const shapes = Array.from({ length: 700 }, (_, i) => ({ [`key${i}`]: i, [`other${i % 3}`]: { [`in${i}`]: i } }));
    const wide = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, i]));

    expect(roundTrip([shapes, shapes, wide, wide])).toStrictEqual([shapes, shapes, wide, wide]);
  });

  test('read plain objects for objects without a prototype, and undefined for holes', () => {
    expect(roundTrip(Object.assign(Object.create(null) as object, { a: 1 }))).toStrictEqual({ a: 1 });
    // eslint-disable-next-line no-sparse-arrays
    expect(roundTrip([1, , 2])).toStrictEqual([1, undefined, 2]);
  });

  test('take what was made in another realm', () => {
    const given = runInNewContext('({ a: [1, { b: new Map([[1, new Set([2])]]) }], d: new Date(5), u: new Uint8Array([1]) })');

    expect(roundTrip(given)).toStrictEqual({ a: [1, { b: new Map([[1, new Set([2])]]) }], d: new Date(5), u: new Uint8Array([1]) });
  });

  test('read bytes that share no memory with the input', () => {
    const encoded = encodeValue([Buffer.from('abc')]);
    const [got] = decodeValue(encoded) as [Uint8Array];
    encoded.fill(0);

    expect(got).toStrictEqual(new Uint8Array([97, 98, 99]));
    expect(got.constructor).toBe(Uint8Array);
  });

  test('take what is nested 200 deep', () => {
    let deep: unknown = 'bottom';
    for (let i = 0; i < 200; i++) deep = i % 2 ? [deep] : { deep };

    expect(roundTrip(deep)).toStrictEqual(deep);
    expect(() => encodeValue([deep])).toThrow('value[0][0].deep');
  });

  test('are not slowed down by an object that is referred to often', () => {
    let shared: unknown = { leaf: 1 };
    for (let i = 0; i < 12; i++) shared = [shared, shared];

    expect(encodeValue(shared).length).toBeLessThan(20_000);
    expect(() => encodeValue([shared, () => 1])).toThrow(/^value\[1\] is a function/);
  });

  test('write a nested object once, although its shape changes with every object', () => {
    let nested: unknown = 1;
    for (let i = 0; i < 40; i++) nested = i % 2 ? { next: nested, odd: i } : { next: nested, even: i };
    let reads = 0;
    const counted = {
      get next() {
        reads++;
        return nested;
      },
    };

    encodeValue([counted, counted]);

    expect(reads).toBe(2);
  });
});

class Account {
  readonly id = 1;
}

const cycle: { self?: unknown } = {};
cycle.self = [cycle];

const notEncodable: [string, unknown, string][] = [
  ['a function', () => 1, 'value is a function'],
  ['a named function', { user: { f: parseInt } }, 'value.user.f is the function parseInt'],
  ['a symbol', [1, Symbol('x')], 'value[1] is a symbol'],
  ['a class instance', { 'a-b': new Account() }, 'value["a-b"] is an instance of Account'],
  ['a promise', new Map([['k', Promise.resolve()]]), 'value.get("k") is an instance of Promise'],
  ['a regular expression', new Set([/x/]), 'value.values()[0] is an instance of RegExp'],
  ['an error', new Error('x'), 'value is an instance of Error'],
  ['another typed array', { a: new Float64Array(1) }, 'value.a is an instance of Float64Array'],
  ['an ArrayBuffer', new ArrayBuffer(1), 'value is an instance of ArrayBuffer'],
  ['a WeakMap', new WeakMap(), 'value is an instance of WeakMap'],
  ['a boxed number', Object(1), 'value is an instance of Number'],
  ['a subclass of Map', new (class Index extends Map {})(), 'value is an instance of Index'],
  ['a subclass of Array', new (class List extends Array {})(), 'value is an instance of List'],
  ['a prototype of its own', Object.create({ inherited: 1 }), 'value is an object with a prototype of its own'],
  ['a cycle', { cycle }, 'value.cycle.self[0] is part of a cycle'],
  ['a map key', new Map([[{ f: () => 1 }, 1]]), 'value.keys()[0].f is'],
];

describe('encodeValue refuses', () => {
  test.each(notEncodable)('%s, and says where it is', (_, given, message) => {
    let thrown: unknown;
    try {
      encodeValue(given);
    } catch (error) {
      thrown = error;
    }

    expect(isMillraceError(thrown, 'MILLRACE_VALUE_NOT_ENCODABLE')).toBe(true);
    expect(String(thrown)).toContain(message);
  });

  test('a value that blows up', () => {
    let bomb: unknown = 'x'.repeat(0x100000);
    for (let i = 0; i < 100; i++) bomb = Array.from({ length: 10 }, () => bomb);

    expect(() => encodeValue(bomb)).toThrow(expect.objectContaining({ code: 'MILLRACE_VALUE_TOO_LARGE' }));
  });

  test('nothing after a failure', () => {
    expect(() => encodeValue({ text: 'left behind', f: () => 1 })).toThrow();

    expect(roundTrip({ a: 'b' })).toStrictEqual({ a: 'b' });
  });

  test('with the error of a getter that throws', () => {
    const given = {
      get bad(): never {
        throw new TypeError('from the getter');
      },
    };

    expect(() => encodeValue(given)).toThrow(new TypeError('from the getter'));
  });
});

describe('decodeValue', () => {
  const decodesOrRefuses = (bytes: Uint8Array): void => {
    try {
      decodeValue(bytes);
    } catch (error) {
      expect(isMillraceError(error, 'MILLRACE_DECODE_FAILED')).toBe(true);
    }
  };

  test('gives a value or a coded error for any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), decodesOrRefuses), { numRuns: 3000 });
  });

  test('gives a value or a coded error for a damaged value', () => {
    fc.assert(
      fc.property(value, fc.nat(), fc.nat(255), (given, place, byte) => {
        const bytes = encodeValue(given);
        bytes[place % bytes.length] = byte;
        decodesOrRefuses(bytes);
      }),
      { numRuns: 300 },
    );
  });

  test('refuses every proper beginning of a value', () => {
    const bytes = encodeValue({ a: 'text', b: [1, 2.5, new Map([['k', 'ü']])], c: 10n ** 40n, d: new Uint8Array(3) });

    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeValue(bytes.subarray(0, length))).toThrow(expect.objectContaining({ code: 'MILLRACE_DECODE_FAILED' }));
    }
  });

  test('allocates nothing for a forged count', () => {
    for (const tag of [0xeb, 0xea, 0xec, 0xed, 0xef, 0xe8]) {
      expect(() => decodeValue(new Uint8Array([0, tag, 0xff, 0xff, 0xff, 0xff, 0x7f]))).toThrow(
        expect.objectContaining({ code: 'MILLRACE_DECODE_FAILED' }),
      );
    }
  });

  test('refuses what is nested too deep', () => {
    expect(() => decodeValue(new Uint8Array(10_000).fill(0xf9, 1))).toThrow(expect.objectContaining({ code: 'MILLRACE_DECODE_FAILED' }));
  });
});
