import type { PipelinePlan } from '../graph/stage-plan.ts';
import { decodeFence } from '../state/fence.ts';
import type { StateBackend } from '../state/state-backend.ts';
import { taskPath } from './open-task-store.ts';

/** How far a task has come, for whoever watches from outside. */
export interface FenceProgress {
  readonly next: number;
  readonly watermark: number;
}

/** Reads a task's fence; undefined while it has none. */
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
  const { next, watermark } = decodeFence(node.data, path);
  return { next, watermark };
}
