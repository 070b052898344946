import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { stateKey } from '../../../../functions/shared/key.ts';
import { TaskState } from '../../../../functions/state/task-state.ts';
import { entryKey, tableId } from '../../../../functions/state/tables.ts';

const FRAGMENTS = { maxParallelism: 128, count: 4 };
const values = tableId('value', 'op', 'v');
const maps = tableId('map', 'op', 'm');
const timers = tableId('timers', 'op', 'event');

interface Write {
  readonly table: string;
  readonly key: string;
  /** Undefined deletes. */
  readonly value: number | undefined;
}

const write: fc.Arbitrary<Write> = fc.record({
  table: fc.constantFrom(values, maps, timers),
  key: fc.constantFrom('a', 'b', 'c', '1|x'),
  value: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }),
});

function apply(state: TaskState, writes: readonly Write[]): void {
  for (const { table, key, value } of writes) {
    const entry = table === values ? stateKey(key) : entryKey(stateKey(key), String(value ?? 0));
    if (value === undefined) state.delete(state.table(table), entry);
    else state.set(state.table(table), entry, value);
  }
}

function contents(state: TaskState): unknown {
  return [values, maps, timers].map((id) => [...state.table(id).entries].sort());
}

test('takes back every change since a mark', () => {
  fc.assert(
    fc.property(fc.array(write), fc.array(write), (kept, undone) => {
      const state = new TaskState(0);
      apply(state, kept);
      const before = contents(state);
      const mark = state.mark();
      apply(state, undone);

      state.rollback(mark);

      expect(contents(state)).toEqual(before);
    }),
  );
});

test('a delta brings another copy to the same state, and so do the images of all fragments', () => {
  fc.assert(
    fc.property(fc.array(write), fc.array(write), (first, second) => {
      const state = new TaskState(0);
      const replica = new TaskState(0);
      for (const [seq, batch] of [first, second].entries()) {
        apply(state, batch);
        replica.load(state.delta(FRAGMENTS).bytes);
        state.settle(seq + 1);
      }
      const rebuilt = new TaskState(0);
      for (const image of state.images(new Set([0, 1, 2, 3]), FRAGMENTS).values()) rebuilt.load(image);

      expect(contents(replica)).toEqual(contents(state));
      expect(contents(rebuilt)).toEqual(contents(state));
    }),
  );
});

test('names the fragments that a delta touches', () => {
  const state = new TaskState(0);
  apply(state, [{ table: values, key: 'a', value: 1 }]);

  const { fragments } = state.delta(FRAGMENTS);

  const images = state.images(new Set([0, 1, 2, 3]), FRAGMENTS);
  const empty = new TaskState(0).images(new Set([0]), FRAGMENTS).get(0)?.length ?? 0;
  expect(fragments).toEqual([...images].filter(([, bytes]) => bytes.length > empty).map(([fragment]) => fragment));
});

test('gives due timers in the order (time, key), whatever the history', () => {
  const state = new TaskState(0);
  const table = state.timerTable(timers);
  for (const [key, time] of [
    ['b', 5],
    ['a', 5],
    ['c', 1],
    ['a', 9],
  ] as const)
    state.set(table, entryKey(stateKey(key), String(time)), time);
  const mark = state.mark();
  const fire = (): string[] => {
    const fired: string[] = [];
    for (let timer = table.firstDue(5); timer; timer = table.firstDue(5)) {
      fired.push(`${timer.time} ${timer.stateKey}`);
      state.delete(table, timer.key);
    }
    return fired;
  };

  const once = fire();
  state.rollback(mark); // fired timers come back

  expect(once).toEqual(['1 sc', '5 sa', '5 sb']);
  expect(fire()).toEqual(once);
});

test('keeps the entries of map state in canonical order', () => {
  const state = new TaskState(0);
  const table = state.mapTable(maps);
  for (const rest of ['z', 'a', 'm']) state.set(table, entryKey('sk', rest), 1);
  state.delete(table, entryKey('sk', 'm'));
  state.set(table, entryKey('sk', 'b'), 1);
  state.set(table, entryKey('sother', 'a'), 1);

  expect(table.keysOf('sk')).toEqual(['a', 'b', 'z'].map((rest) => entryKey('sk', rest)));
});
