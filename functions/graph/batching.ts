import type { PipelinePlan, PlanSettings, StagePlan } from './stage-plan.ts';

/** How the mapping of a stage makes its batches: as its source says, else as the pipeline does. */
export function batchingOf({ settings }: PipelinePlan, { input }: StagePlan): Pick<PlanSettings, 'batchSize' | 'batchWindowMs'> {
  const { batchSize = settings.batchSize, batchWindowMs = settings.batchWindowMs } = input.kind === 'source' ? input : {};
  return { batchSize, batchWindowMs };
}
