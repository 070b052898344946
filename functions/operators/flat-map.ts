import type { Operator, OperatorSetup } from './operator.ts';

export function flatMapOperator({ node, emit }: OperatorSetup<'flatMap'>): Operator {
  const { flatMap } = node;
  return {
    process: (value) => {
      for (const output of flatMap(value)) emit(output);
    },
  };
}
