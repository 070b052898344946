import type { PipelinePlan } from '../graph/stage-plan.ts';
import type { Clock } from '../shared/clock.ts';
import { MillraceError } from '../shared/errors.ts';
import { TaskStore } from '../state/task-store.ts';
import type { StageRuntime } from './stage-runtime.ts';

/** The fence and state of one task of this stage. @throws MILLRACE_CONFIG_INVALID the stage was given no state store. */
export function openTaskStore({ plan, stage, ports, options }: StageRuntime, topic: string, partition: number): TaskStore {
  const { state, clock } = ports;
  if (!state)
    throw new MillraceError('MILLRACE_CONFIG_INVALID', `stage ${stage.id} keeps state, but has no state store; set MILLRACE_STATE`);
  const { maxParallelism, stateFragments } = plan;
  const { chunkBytes, maxDeltas, minCompactionBytes } = options;
  return new TaskStore(state, taskPath(plan, stage.id, topic, partition), {
    fragments: { maxParallelism, count: stateFragments },
    chunkBytes: Math.min(chunkBytes, state.limits.nodeBytes),
    nonce: () => nonce(clock),
    maxDeltas,
    minCompactionBytes,
  });
}

/** Where a task's fence stands in the state store. */
export function taskPath(plan: PipelinePlan, stage: string, topic: string, partition: number): string {
  return `/millrace/${plan.namespace}/${plan.pipeline}/${stage}/${topic}-${partition}`;
}

function nonce(clock: Clock): string {
  return Math.floor(clock.random() * 2 ** 52).toString(36);
}
