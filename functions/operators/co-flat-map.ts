import type { Operator, OperatorSetup } from './operator.ts';

export function coFlatMapOperator({ node, emit }: OperatorSetup<'coFlatMap'>): Operator {
  const { flatMap1, flatMap2 } = node;
  return {
    process: (value) => {
      for (const output of flatMap1(value)) emit(output);
    },
    processSecond: (value) => {
      for (const output of flatMap2(value)) emit(output);
    },
  };
}
