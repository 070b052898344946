import type { Operator, OperatorSetup } from './operator.ts';

export function mapOperator({ node, emit }: OperatorSetup<'map'>): Operator {
  const { map } = node;
  return {
    process: (value) => {
      emit(map(value));
    },
  };
}
