import type { Operator, OperatorSetup } from './operator.ts';
import { ProcessRunner } from './process-runner.ts';

/** CoProcessFunction and KeyedCoProcessFunction: user code over two inputs, with state and timers of both. */
export function coProcessOperator(setup: OperatorSetup<'coProcess'>): Operator {
  const { states, processElement1, processElement2, onTimer } = setup.node.coProcess;
  const runner = new ProcessRunner(setup, states, onTimer);
  return {
    process: (value) => {
      runner.run(processElement1, value);
    },
    processSecond: (value) => {
      runner.run(processElement2, value);
    },
    ...(setup.plan.keyed && { timers: runner.timers }),
  };
}
