import { expect, test } from '@jest/globals';
import { listState, mapState, type StateDescriptor, valueState } from '../../../../functions/api/state-descriptors.ts';
import type { ValueState } from '../../../../functions/api/state.ts';
import { Types } from '../../../../functions/api/types.ts';
import { openKeyedState } from '../../../../functions/state/keyed-state.ts';
import { KeyedStates } from '../../../../functions/state/keyed-states.ts';
import { openLivingState } from '../../../../functions/state/living-state.ts';
import { TaskState } from '../../../../functions/state/task-state.ts';

interface Name {
  readonly first: string;
  readonly last: string;
}

/** One deployment after the other over the same state. */
function deploy(state: TaskState): { scope: Parameters<typeof openKeyedState>[0]; check: () => void } {
  const states = new KeyedStates(openLivingState);
  return { scope: { state, stateKey: 'sa', stateTime: 0, states }, check: () => states.check(state) };
}

const split = (old: unknown): Name => {
  const [first = '', last = ''] = String(old).split(' ');
  return { first, last };
};
const first = valueState('name', Types.string);
const second = valueState('name', { type: Types.json<Name>(), version: 2, migrate: split });
const third = valueState('name', {
  type: Types.string,
  version: 3,
  migrate: (old, from) => (from === 1 ? split(old).last : (old as Name).last),
});

function open<S>(state: TaskState, descriptor: StateDescriptor<S>): S {
  return openKeyedState(deploy(state).scope, 'op', descriptor) as S;
}

const sizes = (state: TaskState): Record<string, number> =>
  Object.fromEntries(state.allTables().flatMap(({ id, entries }) => (entries.size > 0 ? [[id, entries.size]] : [])));

test('a value of an older version is migrated when it is read, once', () => {
  const state = new TaskState(0);
  open(state, first).update('Ada Lovelace');
  let migrations = 0;
  const counted = valueState('name', { type: Types.json<Name>(), version: 2, migrate: (old) => (migrations++, split(old)) });
  const name = open(state, counted);
  expect(sizes(state)).toEqual({ 'value:op/name': 1 });

  expect([name.value(), name.value()]).toEqual([
    { first: 'Ada', last: 'Lovelace' },
    { first: 'Ada', last: 'Lovelace' },
  ]);
  expect(migrations).toBe(1);
  expect(sizes(state)).toEqual({ 'value:op/name@2': 1 });
});

test('from any older version at once, and taken back with the record', () => {
  const state = new TaskState(0);
  open(state, first).update('Ada Lovelace');
  const mark = state.mark();
  expect(open(state, third).value()).toBe('Lovelace');
  state.rollback(mark);
  expect(open(state, second).value()).toEqual({ first: 'Ada', last: 'Lovelace' });
  expect(open(state, third).value()).toBe('Lovelace');
  open(state, third).clear();

  expect(sizes(state)).toEqual({});
});

test('what is written anew is not migrated', () => {
  const state = new TaskState(0);
  open(state, first).update('Ada Lovelace');
  const broken = valueState('name', {
    type: Types.string,
    version: 2,
    migrate: () => {
      throw new Error('not to be called');
    },
  });
  open(state, broken).update('Grace');

  expect(open(state, broken).value()).toBe('Grace');
  expect(sizes(state)).toEqual({ 'value:op/name@2': 1 });
});

test('of a list each item is, of a map each entry as it is read; keys of all versions are seen', () => {
  const state = new TaskState(0);
  open(state, listState('l', Types.number)).addAll([1, 2]);
  const map = open(state, mapState('m', Types.string, Types.number));
  map.put('a', 1);
  map.put('b', 2);
  const toText = { version: 2, migrate: (old: unknown): string => `${String(old)}!` };
  const list = open(state, listState('l', Types.string, toText));
  const texts = open(state, mapState('m', Types.string, Types.string, toText));
  list.add('3!');
  texts.put('c', '3!');

  expect(list.get()).toEqual(['1!', '2!', '3!']);
  expect([texts.get('b'), texts.has('a'), texts.keys()]).toEqual(['2!', true, ['a', 'b', 'c']]);
  expect(sizes(state)).toEqual({ 'value:op/l@2': 1, 'map:op/m': 1, 'map:op/m@2': 2 });
});

test('expires with its TTL, whichever version it is of', () => {
  const state = new TaskState(0);
  const { scope } = deploy(state);
  const clock = { ...scope, stateTime: 0 };
  (openKeyedState(clock, 'op', valueState('name', { type: Types.string, ttl: 100 })) as ValueState<string>).update('Ada Lovelace');
  openKeyedState(clock, 'op', valueState('name', { type: Types.json<Name>(), version: 2, migrate: split, ttl: 100 }));
  clock.stateTime = 100;
  clock.states.freeExpired();

  expect(sizes(state)).toEqual({});
});

test('a newer version than the code knows is an error of the task', () => {
  const state = new TaskState(0);
  open(state, third).update('Lovelace');
  const { scope, check } = deploy(state);
  openKeyedState(scope, 'op', second);

  expect(check).toThrow(expect.objectContaining({ code: 'MILLRACE_STATE_VERSION', message: expect.stringContaining('value:op/name') }));
  open(state, third).clear();
  expect(check).not.toThrow();
});

test.each([
  [{ version: 0, migrate: split }, 'version 0'],
  [{ version: 2 }, 'migrate with one above 1'],
  [{ migrate: split }, 'migrate with one above 1'],
  [{ ttl: 0 }, 'ttl of 0'],
  [{ ttl: { time: '1 hour', update: 'always' } }, 'update is on-create-and-write or on-read-and-write'],
  [{ ttl: { time: '1 hour', visibility: 'maybe' } }, 'visibility never-return-expired or return-expired-if-not-cleaned-up'],
])('%j is refused', (options, message) => {
  expect(() => listState('l', Types.string, options as never)).toThrow(
    expect.objectContaining({ code: 'MILLRACE_OPTION_INVALID', message: expect.stringContaining(message) }),
  );
});

test('a bundle that was built for a state without ttl and versions says so', () => {
  const scope = { ...deploy(new TaskState(0)).scope, states: new KeyedStates() };

  expect(() => openKeyedState(scope, 'op', second)).toThrow(expect.objectContaining({ code: 'MILLRACE_PLAN_MISMATCH' }));
});
