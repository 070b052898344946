import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { PipelinePlan, StagePlan } from '../../../functions/graph/stage-plan.ts';

/** A directory with these files, outside every package; removed by `dispose`. */
export function makeProject(files: Readonly<Record<string, string>>): { readonly dir: string; dispose(): void } {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-test-')));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  return {
    dir,
    dispose: () => {
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Stands in for Millrace where a test is about bundling alone: as much as an entry imports, in a package of that name. */
export const STAND_IN: Readonly<Record<string, string>> = {
  'node_modules/millrace/package.json': JSON.stringify({
    name: 'millrace',
    exports: { '.': './functions/index.ts', './runtime': './functions/runtime/index.ts' },
  }),
  'node_modules/millrace/functions/index.ts': 'export const pipeline = (name: string): { name: string } => ({ name });\n',
  'node_modules/millrace/functions/runtime/index.ts': `
    export { openEmbeddedState, openZooKeeperState } from './state.ts';
    export const openEmbeddedLog = (env: { at: string }): string => 'log at ' + env.at;
    export const openKafkaLog = (): string => 'topics';
    export const openFencedTask = (): string => 'with a fence';
    export const openSourceTask = (): string => 'without a fence';
    export const createStageHandler = (plan: unknown, stage: string, adapters: object): unknown => ({ plan, stage, ...adapters });
  `,
  'node_modules/millrace/functions/runtime/state.ts': `
    export const openEmbeddedState = (env: { at: string }): string => 'state store at ' + env.at;
    export const openZooKeeperState = (): string => 'nodes';
  `,
};

export const PIPELINE_FILE = "import { pipeline } from 'millrace';\nexport default pipeline('flights');\n";

/** Stage `read` without a fence, stage `count` with one. */
export function twoStagePlan(): PipelinePlan {
  return {
    format: 1,
    pipeline: 'flights',
    namespace: 'default',
    generation: 1,
    maxParallelism: 128,
    stateFragments: 16,
    params: {},
    settings: {
      maxAttempts: 3,
      onError: 'dead-letter',
      watermarkIntervalMs: 200,
      frameBytes: 262_144,
      batchSize: 1000,
      batchWindowMs: 500,
      partialBatchResponse: false,
      timeoutMs: 60_000,
      memoryMb: 512,
      maxRetries: -1,
    },
    stages: [stage('read', false), stage('count', true)],
    channels: [],
    feeds: [],
    sinkTopics: [],
    deadLetterTopic: 'default.flights.dlq',
  };
}

function stage(id: string, fenced: boolean): StagePlan {
  const input = { kind: 'source', node: 0, uid: id, topics: ['flights'], pattern: null, start: 'earliest', bounded: false } as const;
  return {
    id,
    name: `default.flights.${id}`,
    parallelism: 4,
    input,
    operators: [],
    outputs: [],
    fenced,
    journal: false,
    transactional: false,
    produces: {},
    group: `default.flights.${id}`,
  };
}
