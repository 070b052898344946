import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runInNewContext } from 'node:vm';
import { cloneValue } from '../../../../functions/codec/clone.ts';
import { decodeValue, encodeValue } from '../../../../functions/codec/value.ts';
import { value } from './arbitraries.ts';

/** All objects inside of a value. */
function objectsOf(given: unknown, found = new Set<unknown>()): Set<unknown> {
  if (typeof given !== 'object' || given === null || found.has(given)) return found;
  found.add(given);
  if (given instanceof Map || given instanceof Set)
    for (const [key, item] of given.entries()) [key, item].forEach((one) => objectsOf(one, found));
  else if (!ArrayBuffer.isView(given)) for (const item of Object.values(given)) objectsOf(item, found);
  return found;
}

describe('cloneValue', () => {
  test('gives an equal value that shares no object', () => {
    fc.assert(
      fc.property(value, (given) => {
        const copy = cloneValue(given);
        expect(copy).toStrictEqual(given);
        const originals = objectsOf(given);
        for (const object of objectsOf(copy)) expect(originals.has(object)).toBe(false);
      }),
    );
  });

  test.each([
    ['an object without a prototype', Object.assign(Object.create(null) as object, { a: 1 })],
    ['a hole', new Array<unknown>(2)],
    ['a Buffer', Buffer.from('abc')],
    ['a key named __proto__', JSON.parse('{"__proto__": {"a": [1]}}')],
    ['another realm', runInNewContext('({ a: [new Date(1), new Map([[1, {}]]), new Set([1])], b: new Uint8Array(2) })')],
  ])('copies %s as encoding and decoding would', (_, given) => {
    const copy: unknown = cloneValue(given);

    expect(copy).toStrictEqual(decodeValue(encodeValue(given)));
  });

  const cycle: unknown[] = [];
  cycle.push({ cycle });

  test.each([
    [() => 1],
    [Symbol('s')],
    [{ a: () => 1 }],
    [{ a: { b: Symbol('s') } }],
    [[new WeakSet()]],
    [new Map([[1, /x/]])],
    [new Date().getTime],
    [cycle],
  ])('refuses %p as encodeValue does', (given) => {
    let expected: unknown;
    try {
      encodeValue(given);
    } catch (error) {
      expected = error;
    }

    expect(expected).toBeDefined();
    expect(() => cloneValue<unknown>(given)).toThrow(expected);
  });
});
