import { isMerging, paneMs } from '../../graph/window-shape.ts';
import type { Operator, OperatorSetup } from '../operator.ts';
import { paneOperator } from './pane-operator.ts';
import { sessionOperator } from './session-operator.ts';
import { separateOperator } from './separate-operator.ts';

/** Windows over a key: the elements of each window are held until its trigger fires (Flink's WindowOperator). */
export function windowOperator(setup: OperatorSetup<'window'>): Operator {
  const shape = setup.node.window;
  const pane = paneMs(shape);
  if (pane !== undefined) return paneOperator(setup, pane);
  return isMerging(shape.assigner) ? sessionOperator(setup) : separateOperator(setup);
}
