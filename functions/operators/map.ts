import { synchronous } from './synchronous.ts';
import type { Operator, OperatorSetup } from './operator.ts';

export function mapOperator({ node, emit }: OperatorSetup<'map'>): Operator {
  const { map } = node;
  return {
    process: (value) => {
      emit(synchronous('map', map(value)));
    },
  };
}
