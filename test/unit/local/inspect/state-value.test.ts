import { expect, test } from '@jest/globals';
import { type Key, stateKey } from '../../../../functions/shared/key.ts';
import { entryKey } from '../../../../functions/state/tables.ts';
import { TaskState } from '../../../../functions/state/task-state.ts';
import { keysOfText, readValue, typeOfKey } from '../../../../local/inspect/state-value.ts';
import { sizeTables } from '../../../../local/inspect/table-size.ts';

test.each<[string, Key[]]>([
  ['home', ['home']],
  ['7', ['7', 7]],
  ['1e999', ['1e999']],
  ['true', ['true']],
  ['"7"', ['"7"']],
  ['["eu",7]', ['["eu",7]', ['eu', 7]]],
  ['[["eu"]]', ['[["eu"]]']],
  ['base64:AAE=', ['base64:AAE=', Uint8Array.of(0, 1)]],
  ['', ['']],
])('%j on the command line may mean %j', (text, keys) => {
  expect(keysOfText(text)).toEqual(keys);
});

test('keys have the types that keyBy knows', () => {
  expect(['a', 1, Uint8Array.of(1), ['a', 1]].map((key) => typeOfKey(key))).toEqual(['string', 'number', 'bytes', 'tuple']);
});

/** Timers of two keys, of which one begins like the other; and a map. */
function someState(): TaskState {
  const state = new TaskState(0);
  const timers = state.timerTable('timers:op/event');
  for (const [key, time] of [['a', 20], ['a', 3], ['ab', 5]] as const) state.set(timers, entryKey(stateKey(key), `${time}`), time); // prettier-ignore
  const map = state.mapTable('map:op/by');
  state.set(map, entryKey(stateKey('a'), stateKey(1)), { at: new Date(0), raw: Uint8Array.of(255), none: undefined });
  state.set(map, entryKey(stateKey('a'), stateKey('x')), new Map([[1n, [NaN, -0, new Set(['a'])]]]));
  state.set(state.table('value:op/last'), stateKey('a'), null);
  return state;
}

test.each<[string, Key, unknown]>([
  ['timers:op/event', 'a', [3, 20]],
  ['timers:op/event', 'ab', [5]],
  ['timers:op/event', 'b', undefined],
  ['map:op/by', 'b', undefined],
  ['value:op/last', 'a', null],
  ['value:op/last', 'b', undefined],
  ['value:op/other', 'a', undefined],
])('%s holds of %j: %j', (id, key, expected) => {
  expect(readValue(someState(), id, key)).toEqual(expected);
});

test('what JSON does not have is told as an object of one field', () => {
  expect(JSON.parse(JSON.stringify(readValue(someState(), 'map:op/by', 'a')))).toEqual([
    [1, { at: { $date: '1970-01-01T00:00:00.000Z' }, raw: { $bytes: '/w==' }, none: { $undefined: true } }],
    ['x', { $map: [[{ $bigint: '1' }, [{ $number: 'NaN' }, { $number: '-0' }, { $set: ['a'] }]]] }],
  ]);
});

test('sizes of tasks add up, timers by key', () => {
  const sizes = sizeTables([{ state: someState() }, { state: someState() }]);

  expect(sizes.map(({ kind, operator, state, keys, entries }) => [kind, operator, state, keys, entries])).toEqual([
    ['map', 'op', 'by', 2, 4],
    ['timers', 'op', 'event', 4, 6],
    ['value', 'op', 'last', 2, 2],
  ]);
});
