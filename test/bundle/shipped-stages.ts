import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { planPipeline } from '../../functions/graph/plan.ts';
import type { PipelinePlan } from '../../functions/graph/stage-plan.ts';
import { bundleStages, type StageBundle } from '../../infra/bundling.ts';
import { loadPipeline } from '../../local/load-pipeline.ts';

export interface ShippedPipeline {
  readonly plan: PipelinePlan;
  readonly stages: readonly StageBundle[];
}

/** Bundles every shipped pipeline of the checkout at `root`, as `millrace dev` does. */
export async function bundleShipped(outDir: string, root = process.cwd()): Promise<ShippedPipeline[]> {
  const folder = join(root, 'functions/pipelines');
  const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));
  return Promise.all(files.map((name) => bundlePipeline(join(folder, name), outDir)));
}

export async function bundlePipeline(pipelineFile: string, outDir: string): Promise<ShippedPipeline> {
  const plan = planPipeline((await loadPipeline(pipelineFile)).build());
  return { plan, stages: await bundleStages({ pipelineFile, plan, outDir }) };
}
