import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runInNewContext } from 'node:vm';
import { isMillraceError } from '../../../../functions/shared/errors.ts';
import { fromStateKey, type Key, keyBytes, parseKey, stateKey } from '../../../../functions/shared/key.ts';

const scalar = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '1', 'sa', 'n1', '["a"]', 'b', '\ud800'),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
  fc.integer(),
  fc.uint8Array({ maxLength: 8 }),
);
const key: fc.Arbitrary<Key> = fc.oneof(scalar, fc.array(scalar, { maxLength: 4 }));

const textOf = (given: Key): string => Buffer.from(keyBytes(given)).toString();

describe('parseKey', () => {
  test('takes strings, finite numbers, bytes and tuples of these', () => {
    for (const given of ['', 'a', 0, -1.5, 2 ** 60, new Uint8Array([1]), [], ['a', 1, new Uint8Array([2])]]) {
      expect(parseKey(given)).toStrictEqual(given);
    }
  });

  test('turns −0 into 0, in a tuple too', () => {
    expect(parseKey(-0)).toBe(0);
    expect(parseKey([-0])).toStrictEqual([0]);
  });

  test('copies bytes and tuples', () => {
    const bytes = new Uint8Array([1]);
    const tuple = ['a', bytes];
    const [parsedBytes, parsedTuple] = [parseKey(bytes), parseKey(tuple)];

    bytes[0] = 9;
    tuple[0] = 'changed';

    expect(parsedBytes).toStrictEqual(new Uint8Array([1]));
    expect(parsedTuple).toStrictEqual(['a', new Uint8Array([1])]);
  });

  test('takes bytes and tuples of another realm, and a Buffer as plain bytes', () => {
    expect(parseKey(runInNewContext('new Uint8Array([1, 2])'))).toStrictEqual(new Uint8Array([1, 2]));
    expect(parseKey(runInNewContext('["a", new Uint8Array([1])]'))).toStrictEqual(['a', new Uint8Array([1])]);
    expect(parseKey(Buffer.from('a'))).toStrictEqual(new Uint8Array([97]));
  });

  test.each([
    ['NaN', NaN],
    ['-Infinity', -Infinity],
    ['null', null],
    ['undefined', undefined],
    ['true', true],
    ['a bigint', 1n],
    ['a symbol', Symbol('s')],
    ['an object', {}],
    ['an object', new Date()],
    ['an object', new Uint16Array(1)],
    ['a tuple whose item 1 is an array', ['a', ['b']]],
    ['a tuple whose item 0 is NaN', [NaN]],
    ['a tuple whose item 0 is undefined', new Array<string>(1)],
  ])('refuses %s', (what, given) => {
    let thrown: unknown;
    try {
      parseKey(given);
    } catch (error) {
      thrown = error;
    }

    expect(isMillraceError(thrown, 'MILLRACE_KEY_TYPE')).toBe(true);
    expect(String(thrown)).toContain(`the key is ${what};`);
  });
});

describe('keyBytes', () => {
  test.each<[Key, string]>([
    ['a"b', 'a"b'],
    ['é', 'é'],
    [1, '1'],
    [1e21, '1e+21'],
    [-0.5, '-0.5'],
    [['a', 1, new Uint8Array([255])], '["a",1,"/w=="]'],
    [[], '[]'],
  ])('of %j are %j', (given, expected) => {
    expect(textOf(given)).toBe(expected);
  });

  test('of bytes are these bytes', () => {
    expect(keyBytes(new Uint8Array([0, 255]))).toStrictEqual(new Uint8Array([0, 255]));
  });
});

describe('stateKey', () => {
  test('comes back as the key it was made of', () => {
    fc.assert(fc.property(key, (given) => expect(fromStateKey(stateKey(given))).toStrictEqual(given)));
  });

  test('keeps keys apart that share their bytes', () => {
    const keys: Key[] = ['1', 1, new Uint8Array([0x31]), [1], ['1'], '[1]', ['/w=='], [new Uint8Array([255])], 'n1', 's1', '["1"]'];

    expect(new Set(keys.map(stateKey)).size).toBe(keys.length);
  });

  test('is the same for equal keys', () => {
    expect(stateKey(parseKey([1, 'a', Buffer.from('b')]))).toBe(stateKey([1, 'a', new Uint8Array([98])]));
    expect(stateKey(parseKey(-0))).toBe(stateKey(0));
  });
});
