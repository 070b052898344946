import { synchronous } from './synchronous.ts';
import type { Operator, OperatorSetup } from './operator.ts';

export function coMapOperator({ node, emit }: OperatorSetup<'coMap'>): Operator {
  const { map1, map2 } = node;
  return {
    process: (value) => {
      emit(synchronous('map1', map1(value)));
    },
    processSecond: (value) => {
      emit(synchronous('map2', map2(value)));
    },
  };
}
