import type { LogicalGraph } from './logical-graph.ts';
import { hasTimers } from './operators.ts';
import type { StagePlan } from './stage-plan.ts';
import { timeOf, type TriggerShape, type WindowShape } from './window-shape.ts';

/** Whether operators of a stage may have timers in processing time, which only move on with its input or with ticks. */
export function hasProcessingTimers({ operators }: StagePlan, graph: LogicalGraph): boolean {
  return operators.some(({ node: id, keyed }) => {
    const node = graph.nodes[id];
    if (node?.kind === 'window' || node?.kind === 'coGroup') return usesProcessingTime(node.window);
    return node !== undefined && keyed && hasTimers(node);
  });
}

function usesProcessingTime({ assigner, trigger }: WindowShape): boolean {
  return timeOf(assigner) === 'processing' || (trigger !== undefined && firesInProcessingTime(trigger));
}

function firesInProcessingTime(trigger: TriggerShape): boolean {
  switch (trigger.kind) {
    case 'processing-time':
    case 'continuous-processing-time':
    case 'custom': // it may register what it likes
      return true;
    case 'purging':
      return firesInProcessingTime(trigger.trigger);
    default:
      return false;
  }
}
