import { Cell } from '../state/keyed-state.ts';
import { synchronous } from './synchronous.ts';
import type { Operator, OperatorSetup } from './operator.ts';

/** Flink's rolling reduce: emits the new reduced value for every record. */
export function reduceOperator({ node, plan, context, emit }: OperatorSetup<'reduce'>): Operator {
  const held = new Cell(context, plan.uid ?? plan.name, '$reduce');
  return {
    process: (value) => {
      const before = held.get();
      const after = before === undefined ? value : synchronous('reduce', node.reduce(before, value));
      held.set(after);
      emit(after);
    },
  };
}
