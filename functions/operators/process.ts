import type { Operator, OperatorSetup } from './operator.ts';
import { ProcessRunner } from './process-runner.ts';

/** ProcessFunction and KeyedProcessFunction: user code with state, timers and side outputs. */
export function processOperator(setup: OperatorSetup<'process'>): Operator {
  const { states, processElement, onTimer } = setup.node.process;
  const runner = new ProcessRunner(setup, states, onTimer);
  return {
    process: (value) => {
      runner.run(processElement, value);
    },
    ...(setup.plan.keyed && { timers: runner.timers }),
  };
}
