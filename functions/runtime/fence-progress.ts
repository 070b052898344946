import type { PipelinePlan } from '../graph/stage-plan.ts';
import { decodeFence } from '../state/fence.ts';
import type { StateBackend } from '../state/state-backend.ts';
import { checkLayout } from '../state/task-store.ts';
import { taskPath } from './open-task-store.ts';

/** How far a task has come, for whoever watches from outside. */
export interface FenceProgress {
  readonly next: number;
  readonly watermark: number;
  /** By upstream task: the offset of the input that the last record applied from it was made of. */
  readonly upstreams: ReadonlyMap<string, number>;
}

/** Reads a task's fence; undefined while it has none. @throws as `TaskStore.readFence` */
export async function readFenceProgress(
  state: StateBackend,
  plan: PipelinePlan,
  stage: string,
  topic: string,
  partition: number,
): Promise<FenceProgress | undefined> {
  const path = taskPath(plan, stage, topic, partition);
  const node = await state.read(path);
  if (!node) return undefined;
  const fence = decodeFence(node.data, path);
  checkLayout(fence, { maxParallelism: plan.maxParallelism, count: plan.stateFragments }, path);
  const { next, watermark, marks } = fence;
  return { next, watermark, upstreams: new Map([...marks].map(([task, { offset }]) => [task, offset])) };
}
