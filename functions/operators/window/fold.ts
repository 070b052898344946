import { cloneValue } from '../../codec/clone.ts';
import type { AggregateFunctionShape, ContentsShape } from '../../graph/window-shape.ts';
import { toStateValue } from '../../state/value-limit.ts';
import { combiner, type Row } from '../aggregate.ts';
import { synchronous } from '../synchronous.ts';

/**
 * Folds elements into one value, the accumulator, which is the state's: what user code gets of it is a copy, and what it gives is copied.
 * An accumulator is never changed in place.
 */
export interface Fold {
  readonly first: (value: unknown) => unknown;
  readonly add: (accumulator: unknown, value: unknown) => unknown;
  readonly merge: (left: unknown, right: unknown) => unknown;
  /** For user code. */
  readonly result: (accumulator: unknown) => unknown;
}

/** Undefined for a window that keeps its elements. */
export function createFold(contents: ContentsShape): Fold | undefined {
  switch (contents.kind) {
    case 'elements':
      return undefined;
    case 'reduce':
      return reducing(contents.reduce);
    case 'aggregate':
      return aggregating(contents.aggregate);
    case 'rolling':
      return contents.rolling.of === 'count' ? COUNTING : rolling(combiner(contents.rolling));
  }
}

const COUNTING: Fold = {
  first: () => 1,
  add: (count) => (count as number) + 1,
  merge: (left, right) => (left as number) + (right as number),
  result: (count) => count,
};

function rolling(combine: (held: Row, next: Row) => Row): Fold {
  return {
    first: toStateValue,
    add: (held, value) => {
      const combined = combine(held as Row, value as Row);
      return combined === value ? toStateValue(value) : combined;
    },
    merge: (left, right) => combine(left as Row, right as Row),
    result: cloneValue,
  };
}

function reducing(reduce: (left: unknown, right: unknown) => unknown): Fold {
  const apply = (left: unknown, right: unknown): unknown => toStateValue(synchronous('reduce', reduce(cloneValue(left), right)));
  return { first: toStateValue, add: apply, merge: (left, right) => apply(left, cloneValue(right)), result: cloneValue };
}

function aggregating({ createAccumulator, add, getResult, merge }: AggregateFunctionShape): Fold {
  const grow = (held: unknown, value: unknown): unknown => toStateValue(synchronous('aggregate add', add(held, value)));
  return {
    first: (value) => grow(createAccumulator(), value),
    add: (held, value) => grow(cloneValue(held), value),
    merge: (left, right) => {
      if (!merge) throw new TypeError('an aggregate function without merge cannot work on windows that merge');
      return toStateValue(synchronous('aggregate merge', merge(cloneValue(left), cloneValue(right))));
    },
    result: (held) => synchronous('aggregate getResult', getResult(cloneValue(held))),
  };
}
