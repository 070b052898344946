import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { encodeValue } from '../../../../functions/codec/value.ts';
import { openKeyedState } from '../../../../functions/state/keyed-state.ts';
import { KeyedStates } from '../../../../functions/state/keyed-states.ts';
import { TaskState } from '../../../../functions/state/task-state.ts';
import { MAX_STATE_VALUE_BYTES, toStateValue } from '../../../../functions/state/value-limit.ts';

const tooLarge = expect.objectContaining({ code: 'MILLRACE_VALUE_TOO_LARGE' });

/** A value whose encoding has exactly this many bytes. */
function bytesOf(length: number): Uint8Array {
  const overhead = encodeValue(new Uint8Array(length - 100)).length - (length - 100);
  return new Uint8Array(length - overhead);
}

test('a value of exactly the limit is taken, one byte more is not', () => {
  const fits = bytesOf(MAX_STATE_VALUE_BYTES);
  expect(encodeValue(fits)).toHaveLength(MAX_STATE_VALUE_BYTES);

  expect(Buffer.compare(toStateValue(fits) as Uint8Array, fits)).toBe(0);
  expect(() => toStateValue(bytesOf(MAX_STATE_VALUE_BYTES + 1))).toThrow(tooLarge);
});

test.each([
  ['a text', 'x'.repeat(5_000_000)],
  ['an array of numbers', Array.from({ length: 550_000 }, (_, i) => i + 0.1)],
  ['an object', Object.fromEntries(Array.from({ length: 210_000 }, (_, i) => [`key-${i}`, `value-${i}`]))],
  ['a map', new Map(Array.from({ length: 210_000 }, (_, i) => [`key-${i}`, `value-${i}`]))],
  ['a set', new Set(Array.from({ length: 380_000 }, (_, i) => `value-${i}`))],
  ['nested arrays', Array.from({ length: 50 }, () => ({ items: ['x'.repeat(100_000)] }))],
  ['a bigint', 1n << 40_000_000n],
])('%s that is too large is refused', (_, value) => {
  expect(encodeValue(value).length).toBeGreaterThan(MAX_STATE_VALUE_BYTES);
  expect(() => toStateValue(value)).toThrow(tooLarge);
});

test('a value that only looks large is taken', () => {
  const ascii = 'x'.repeat(3_000_000);

  expect(toStateValue(ascii)).toBe(ascii);
});

test('any small value is taken as it is', () => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true }), (value) => {
      expect(toStateValue(value)).toEqual(value);
    }),
  );
});

test.each([
  ['value', (state: { update(value: unknown): void }, value: string) => state.update(value)],
  ['list', (state: { add(value: unknown): void }, value: string) => state.add(value)],
  ['map', (state: { put(key: string, value: unknown): void }, value: string) => state.put('k', value)],
] as const)('%s state refuses it and keeps what it held', (kind, change) => {
  const scope = { state: new TaskState(0), stateKey: 'sada', stateTime: 0, states: new KeyedStates() };
  const state = openKeyedState(scope, 'op', { kind, name: 'held', type: 'string' }) as never;
  change(state, 'small');
  const mark = scope.state.mark();

  expect(() => change(state, 'x'.repeat(MAX_STATE_VALUE_BYTES))).toThrow(tooLarge);
  expect(scope.state.mark()).toBe(mark);
});
