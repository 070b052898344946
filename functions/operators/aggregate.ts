import type { AggregateShape } from '../graph/logical-graph.ts';
import { Cell } from '../state/keyed-state.ts';
import type { Operator, OperatorSetup } from './operator.ts';

export type Row = Readonly<Record<string, unknown>>;

/**
 * Flink's rolling sum, min, max, minBy, maxBy and count, one result a record. sum, min and max keep the other fields of the first record;
 * minBy and maxBy give the whole record, the first among equals.
 */
export function aggregateOperator({ node, plan, context, emit }: OperatorSetup<'aggregate'>): Operator {
  const held = new Cell(context, plan.uid ?? plan.name, `$${node.aggregate.of}`);
  if (node.aggregate.of === 'count') {
    return {
      process: () => {
        const count = ((held.get() as number | undefined) ?? 0) + 1;
        held.set(count);
        emit({ key: context.key, count });
      },
    };
  }
  const combine = combiner(node.aggregate);
  return {
    process: (value) => {
      const before = held.get() as Row | undefined;
      const after = before === undefined ? value : combine(before, value as Row);
      held.set(after);
      emit(after);
    },
  };
}

/** How the next record changes what is held: a new object, or one of the two as it is. */
export function combiner(aggregate: Exclude<AggregateShape, { of: 'count' }>): (held: Row, next: Row) => Row {
  const { field } = aggregate;
  const read = (row: Row): number => row[field] as number;
  switch (aggregate.of) {
    case 'sum':
      return (held, next) => ({ ...held, [field]: read(held) + read(next) });
    case 'min':
      return (held, next) => (read(next) < read(held) ? { ...held, [field]: read(next) } : held);
    case 'max':
      return (held, next) => (read(next) > read(held) ? { ...held, [field]: read(next) } : held);
    case 'minBy':
      return (held, next) => (read(next) < read(held) ? next : held);
    case 'maxBy':
      return (held, next) => (read(next) > read(held) ? next : held);
  }
}
