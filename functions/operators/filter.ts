import { synchronous } from './synchronous.ts';
import type { Operator, OperatorSetup } from './operator.ts';

export function filterOperator({ node, emit }: OperatorSetup<'filter'>): Operator {
  const { filter } = node;
  return {
    process: (value) => {
      if (synchronous('filter', filter(value))) emit(value);
    },
  };
}
