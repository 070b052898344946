import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  aggregatingState,
  listState,
  mapState,
  reducingState,
  type StateTtl,
  valueState,
} from '../../../../functions/api/state-descriptors.ts';
import type { AggregatingState, ListState, MapState, ReducingState, ValueState } from '../../../../functions/api/state.ts';
import { Types } from '../../../../functions/api/types.ts';
import { openKeyedState } from '../../../../functions/state/keyed-state.ts';
import { KeyedStates } from '../../../../functions/state/keyed-states.ts';
import { openLivingState } from '../../../../functions/state/living-state.ts';
import { TaskState } from '../../../../functions/state/task-state.ts';

const FRAGMENTS = { maxParallelism: 16, count: 1 };

/** A task's state in the hands of one operator, at a time that tests set. */
class Operator {
  state = new TaskState(0);
  stateKey = 'sa';
  stateTime = 0;
  readonly states = new KeyedStates(openLivingState);

  open<S>(descriptor: { readonly '~state'?: S } & Parameters<typeof openKeyedState>[2]): S {
    return openKeyedState(this, 'op', descriptor) as S;
  }

  /** Time moves on, and frees what has expired. */
  to(time: number): this {
    this.stateTime = time;
    this.states.freeExpired();
    return this;
  }

  /** Entries that are held, times of access among them. */
  get held(): number {
    return this.state.allTables().reduce((sum, { entries }) => sum + entries.size, 0);
  }

  get bytes(): number {
    return this.image.length;
  }

  /** What another environment has, which reads all that was committed. */
  reload(): void {
    const { image } = this;
    this.state = new TaskState(1);
    this.state.load(image);
  }

  /** Of what is committed, as all is now. */
  private get image(): Uint8Array {
    this.state.settle(this.state.seq);
    return this.state.images(new Set([0]), FRAGMENTS).get(0) ?? new Uint8Array();
  }
}

const ttl = (more: Partial<StateTtl> = {}): StateTtl => ({ time: 100, ...more });
const onRead = { update: 'on-read-and-write' } as const;
const returned = { visibility: 'return-expired-if-not-cleaned-up' } as const;

describe('a list with a TTL', () => {
  const descriptor = listState('l', Types.string, { ttl: 100 });

  test.each([
    ['was emptied', ['x']],
    ['got nothing', []],
  ])('that %s can be read in another environment', (_, before) => {
    const op = new Operator();
    const list = op.open<ListState<string>>(descriptor);
    list.addAll(before);
    list.update([]);

    op.reload();

    expect(op.held).toBe(0);
  });

  test('keeps its items where there is no clock', () => {
    const op = new Operator();
    op.stateTime = -Infinity;
    const list = op.open<ListState<string>>(descriptor);
    list.add('x');
    list.add('y');

    expect(list.get()).toEqual(['x', 'y']);
  });

  test('is freed without a look at its items, which may be of an older version', () => {
    const op = new Operator();
    op.open<ListState<string>>(descriptor).add('x');
    const migrate = (): number => {
      throw new Error('odd');
    };
    op.open(listState('l', Types.number, { ttl: 100, version: 2, migrate }));

    expect(op.to(200).held).toBe(0);
  });
});

test('to ask a map for a key is a read of it', () => {
  const op = new Operator();
  const map = op.open<MapState<string, boolean>>(
    mapState('m', Types.string, Types.boolean, { ttl: { time: 100, update: 'on-read-and-write' } }),
  );
  map.put('id', true);
  for (const time of [90, 110, 190]) {
    op.stateTime = time;
    expect(map.has('id')).toBe(true);
  }
});

describe('a value with a TTL', () => {
  test('expires that long after it was written, and then the default is back', () => {
    const op = new Operator();
    const value = op.open<ValueState<number, number>>(valueState('v', { default: 7, ttl: 100 }));
    value.update(1);
    op.stateTime = 50;
    value.update(2);
    op.stateTime = 149;
    expect(value.value()).toBe(2);
    op.stateTime = 150;
    expect(value.value()).toBe(7);
    expect(op.held).toBe(0);
  });

  test('a read begins it anew only where that was asked for', () => {
    const op = new Operator();
    const written = op.open<ValueState<number>>(valueState('w', { type: Types.number, ttl: ttl() }));
    const read = op.open<ValueState<number>>(valueState('r', { type: Types.number, ttl: ttl(onRead) }));
    written.update(1);
    read.update(1);
    op.stateTime = 90;
    expect([written.value(), read.value()]).toEqual([1, 1]);
    op.to(110);
    expect([written.value(), read.value()]).toEqual([undefined, 1]);
  });

  test('one that has not been freed is returned once, if that was asked for', () => {
    const op = new Operator();
    const value = op.open<ValueState<number>>(valueState('v', { type: Types.number, ttl: ttl(returned) }));
    value.update(1);
    op.stateTime = 200;
    expect([value.value(), value.value()]).toEqual([1, undefined]);
    value.update(2);
    op.to(300);
    expect(value.value()).toBeUndefined();
  });

  test('what is taken back has its old time', () => {
    const op = new Operator();
    const value = op.open<ValueState<number>>(valueState('v', { type: Types.number, ttl: 100 }));
    value.update(1);
    op.stateTime = 90;
    const mark = op.state.mark();
    value.update(2);
    op.to(95);
    op.state.rollback(mark);
    op.to(100);

    expect(op.held).toBe(0);
  });

  test('without a clock nothing expires; nor does what was written before there was a TTL, until it is written again', () => {
    const op = new Operator();
    op.stateTime = -Infinity;
    const value = op.open<ValueState<number>>(valueState('v', { type: Types.number, ttl: 100 }));
    value.update(1);
    op.to(1e9);
    expect(value.value()).toBe(1);
    value.update(2);
    op.to(1e9 + 100);
    expect(value.value()).toBeUndefined();
  });
});

test('of a list each item expires by itself', () => {
  const op = new Operator();
  const list = op.open<ListState<string>>(listState('l', Types.string, { ttl: ttl() }));
  const kept = op.open<ListState<string>>(listState('k', Types.string, { ttl: ttl(returned) }));
  for (const state of [list, kept]) state.add('a');
  op.stateTime = 50;
  for (const state of [list, kept]) state.addAll(['b', 'c']);
  op.stateTime = 120;
  expect([list.get(), kept.get(), kept.get()]).toEqual([
    ['b', 'c'],
    ['a', 'b', 'c'],
    ['b', 'c'],
  ]);
  list.add('d');
  op.to(150);
  expect([list.get(), kept.get()]).toEqual([['d'], []]);
  op.to(220);

  expect(op.held).toBe(0);
});

test('of a map each entry expires by itself', () => {
  const op = new Operator();
  const map = op.open<MapState<string, number>>(mapState('m', Types.string, Types.number, { ttl: ttl(onRead) }));
  map.put('a', 1);
  map.put('b', 2);
  op.stateTime = 60;
  expect(map.get('a')).toBe(1);
  op.stateTime = 110;

  expect([map.keys(), map.has('b'), map.entries(), map.isEmpty()]).toEqual([['a'], false, [['a', 1]], false]);
  op.to(1000);
  expect([map.isEmpty(), op.held]).toEqual([true, 0]);
});

test('what is added to an expired reduction or aggregate begins a new one, whatever reads would give', () => {
  const op = new Operator();
  const sum = op.open<ReducingState<number>>(
    reducingState('s', { reduce: (a, b) => a + b, type: Types.number, ttl: ttl({ ...returned, ...onRead }) }),
  );
  const count = op.open<AggregatingState<string, number>>(
    aggregatingState('c', { createAccumulator: () => 0, add: (n: number, _: string) => n + 1, getResult: (n) => n, ttl: ttl() }),
  );
  sum.add(1);
  count.add('x');
  op.stateTime = 100;
  sum.add(5);
  count.add('y');

  expect([sum.get(), count.get()]).toEqual([5, 1]);
});

test('what has expired is freed as time moves on, ten thousand entries at a time, and takes no bytes', () => {
  const op = new Operator();
  const value = op.open<ValueState<string>>(valueState('v', { type: Types.string, ttl: 100 }));
  const empty = op.bytes;
  for (let i = 0; i < 25_000; i++) {
    op.stateKey = `s${i}`;
    value.update('some text that takes its bytes');
  }
  const full = op.bytes;
  expect(full).toBeGreaterThan(25_000 * 30);
  const left = [100, 101, 102].map((time) => op.to(time).held / 2);

  expect(left).toEqual([15_000, 5000, 0]);
  expect(op.bytes - empty).toBeLessThan(100); // the names of its tables
});

test('the bytes stay flat as keys come and go', () => {
  const op = new Operator();
  const value = op.open<ValueState<number>>(valueState('v', { type: Types.number, ttl: 100 }));
  const sizes: number[] = [];
  for (let time = 0; time < 20_000; time += 10) {
    op.to(time);
    op.stateKey = `s${String(time).padStart(8, '0')}`;
    value.update(time);
    if (time >= 1000 && time % 1000 === 0) sizes.push(op.bytes);
  }

  expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThan(0.1 * Math.min(...sizes));
});

type Step =
  | { readonly kind: 'put' | 'get' | 'clear'; readonly key: string; readonly entry: string }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'reload' }
  | { readonly kind: 'undo' };

const key = fc.constantFrom('sa', 'sb');
const entry = fc.constantFrom('x', 'y');
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom('put' as const, 'get' as const, 'clear' as const), key, entry }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.nat({ max: 60 }) }),
  fc.constantFrom<Step[]>({ kind: 'reload' }, { kind: 'undo' }),
);

test('a map expires as one would by hand, whatever is taken back or loaded anew; what has expired is not held', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.boolean(), (steps, touches) => {
      const op = new Operator();
      const map = op.open<MapState<string, number>>(mapState('m', Types.string, Types.number, { ttl: ttl(touches ? onRead : {}) }));
      const model = new Map<string, number>();
      for (const [nth, one] of steps.entries()) {
        if (one.kind === 'pass') op.to(op.stateTime + one.ms);
        else if (one.kind === 'reload') {
          op.reload();
        } else if (one.kind === 'undo') {
          const mark = op.state.mark();
          map.put('x', -1);
          map.get('y');
          map.remove('y');
          op.state.rollback(mark);
        } else {
          op.stateKey = one.key;
          const name = `${one.key}.${one.entry}`;
          const usedAt = model.get(name);
          if (one.kind === 'put') {
            map.put(one.entry, nth);
            model.set(name, op.stateTime);
          } else if (one.kind === 'clear') {
            map.remove(one.entry);
            model.delete(name);
          } else {
            expect(map.get(one.entry) !== undefined).toBe(usedAt !== undefined);
            if (usedAt !== undefined && touches) model.set(name, op.stateTime);
          }
        }
        for (const [name, usedAt] of model) if (usedAt + 100 <= op.stateTime) model.delete(name);
        expect(op.held).toBe(2 * model.size);
      }
    }),
    { numRuns: 500 },
  );
});
