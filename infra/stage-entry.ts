import type { PipelinePlan, StagePlan } from '../functions/graph/stage-plan.ts';

/** Opener of each adapter in `millrace/runtime`, under the name that `MILLRACE_LOG` and `MILLRACE_STATE` choose it by. */
const LOG_OPENERS = { embedded: 'openEmbeddedChannelWriter' } as const;
const STATE_OPENERS = { embedded: 'openEmbeddedStateBackend' } as const;

/** Operators that are more than a place in the plan, by kind of node. */
const OPERATORS: Readonly<Record<string, string>> = {
  aggregate: 'aggregateOperator',
  filter: 'filterOperator',
  flatMap: 'flatMapOperator',
  keyBy: 'keyByOperator',
  map: 'mapOperator',
  process: 'processOperator',
  reduce: 'reduceOperator',
  watermarks: 'watermarksOperator',
};

/**
 * Source of the module that a stage's bundle starts from: the user's pipeline, the plan without the other stages (so a change of one does
 * not redeploy all) and tables of the operators that it runs and of the adapters that it can be told to use. A stage without a fence gets no state adapter, so none is
 * in its bundle.
 *
 * The imports are static: `import()` would keep every export of a module alive. What is lazy is opening: nothing connects before the
 * first event.
 *
 * @param pipelineModule - How the entry imports the pipeline's file: relative, as no absolute path may reach the bytes.
 */
export function stageEntry(plan: PipelinePlan, stage: StagePlan, pipelineModule: string): string {
  const state = stage.fenced ? STATE_OPENERS : {};
  const task = stage.fenced ? 'openFencedTask' : 'openSourceTask';
  const operators = operatorsOf(stage);
  const names = ['createStageHandler', task, ...Object.values(operators), ...Object.values(LOG_OPENERS), ...Object.values(state)];
  return [
    `import pipeline from ${JSON.stringify(pipelineModule)};`,
    `import { ${names.join(', ')} } from 'millrace/runtime';`,
    `const plan = ${JSON.stringify({ ...plan, stages: [stage] })};`,
    `const adapters = { pipeline, task: ${task}, operators: ${table(operators)}, log: ${table(LOG_OPENERS)}, state: ${table(state)} };`,
    `export const handler = createStageHandler(plan, ${JSON.stringify(stage.id)}, adapters);`,
    '',
  ].join('\n');
}

function operatorsOf({ operators }: StagePlan): Record<string, string> {
  const kinds = operators.map(({ kind }) => kind);
  return Object.fromEntries(Object.entries(OPERATORS).filter(([kind]) => kinds.includes(kind)));
}

function table(openers: Readonly<Record<string, string>>): string {
  const entries = Object.entries(openers).map(([name, opener]) => `${name}: ${opener}`);
  return `{ ${entries.join(', ')} }`;
}
