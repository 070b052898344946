import fc from 'fast-check';
import type { Key } from '../../../../functions/shared/key.ts';

/** Texts of every kind that the codec tells apart: ASCII, others, and with half of a surrogate pair. */
export const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', 'é', '日本語', '🚀', '\ud83d', '\ude80', '__proto__', 'x'.repeat(63), 'x'.repeat(64), 'ü'.repeat(2500)),
);

export const number = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(0, -0, 127, 128, 255, 256, 65535, 65536, -1, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, NaN, Infinity, -Infinity),
);

export const bigint = fc.oneof(
  fc.bigInt(),
  fc.constantFrom(0n, 2n ** 63n - 1n, 2n ** 63n, -(2n ** 63n), -(2n ** 63n) - 1n, 2n ** 64n, 10n ** 400n, -(10n ** 401n)),
);

/** Jest's toStrictEqual takes an own property `constructor` for the class; a test of its own has that name. */
const name = fc.oneof(fc.string({ maxLength: 3 }), text).filter((key) => key !== 'constructor');

/** Any value that can be encoded. */
export const value: fc.Arbitrary<unknown> = fc.letrec((again) => ({
  scalar: fc.oneof(
    text,
    number,
    bigint,
    fc.boolean(),
    fc.constantFrom(null, undefined),
    fc.date({ noInvalidDate: false }),
    fc.uint8Array(),
  ),
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    again('scalar'),
    fc.array(again('value')),
    fc.dictionary(name, again('value'), { noNullPrototype: true }),
    fc.record({ id: fc.nat(), name: again('value'), more: again('value') }, { requiredKeys: ['id'], noNullPrototype: true }),
    fc.array(fc.tuple(again('scalar'), again('value'))).map((entries) => new Map(entries)),
    fc.array(again('value')).map((items) => new Set(items)),
  ),
})).value;

const scalarKey = fc.oneof(
  text,
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
  fc.uint8Array(),
);

export const key: fc.Arbitrary<Key> = fc.oneof(fc.constantFrom('a', 'b', 1), scalarKey, fc.array(scalarKey, { maxLength: 3 }));
