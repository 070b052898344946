import type { Operator, OperatorSetup } from './operator.ts';
import { synchronous } from './synchronous.ts';
import { windowOperator } from './window/window-operator.ts';

/** Windows that hold records of two inputs, each with the name of its own: for joins and co-groups. */
export function coGroupOperator(setup: OperatorSetup<'coGroup'>): Operator {
  const { node } = setup;
  const emit = (value: unknown): void => {
    setup.emit(synchronous(node.call, value));
  };
  const { process, timers } = windowOperator({ ...setup, node: { ...node, kind: 'window' }, emit });
  return {
    process: (value) => {
      process({ one: value });
    },
    processSecond: (value) => {
      process({ two: value });
    },
    ...(timers && { timers }),
  };
}
