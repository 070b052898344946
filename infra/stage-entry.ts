import type { PipelinePlan, StagePlan } from '../functions/graph/stage-plan.ts';

/** Opener of each adapter in `millrace/runtime`, under the name that `MILLRACE_LOG` and `MILLRACE_STATE` choose it by. */
const LOG_OPENERS = { embedded: 'openEmbeddedLog', kafka: 'openKafkaLog' } as const;
const STATE_OPENERS = { embedded: 'openEmbeddedState', zookeeper: 'openZooKeeperState' } as const;
const TRANSACTION_OPENERS = { embedded: 'openEmbeddedTransactions', kafka: 'openKafkaTransactions' } as const;

/** Compressions that kafkajs does not have itself. */
const CODECS: Readonly<Record<string, string>> = { snappy: 'openSnappy', lz4: 'openLz4', zstd: 'openZstd' };

/** Operators that are more than a place in the plan, by kind of node. */
const OPERATORS: Readonly<Record<string, string>> = {
  aggregate: 'aggregateOperator',
  broadcastProcess: 'broadcastProcessOperator',
  coFlatMap: 'coFlatMapOperator',
  coGroup: 'coGroupOperator',
  coMap: 'coMapOperator',
  coProcess: 'coProcessOperator',
  filter: 'filterOperator',
  flatMap: 'flatMapOperator',
  intervalJoin: 'intervalJoinOperator',
  keyBy: 'keyByOperator',
  map: 'mapOperator',
  process: 'processOperator',
  reduce: 'reduceOperator',
  temporalJoin: 'temporalJoinOperator',
  watermarks: 'watermarksOperator',
  window: 'windowOperator',
};

/**
 * Source of the module that a stage's bundle starts from: the user's pipeline, the plan without the other stages (so a change of one does
 * not redeploy all) and tables of the operators that it runs, of what its states need, and of the adapters that it can be told to use. A stage without a fence gets
 * no state adapter, and one without an exactly-once sink no transactions, so none is in its bundle. The same bytes run on any of the
 * adapters; nothing is opened, and no third party's client is run, before the first event.
 *
 * @param pipelineModule - How the entry imports the pipeline's file: relative, as no absolute path may reach the bytes.
 */
export function stageEntry(plan: PipelinePlan, stage: StagePlan, pipelineModule: string): string {
  const tables = {
    operators: operatorsOf(stage),
    states: hasLivingStates(stage) ? { living: 'openLivingState' } : {},
    log: LOG_OPENERS,
    state: stage.fenced ? STATE_OPENERS : {},
    transactions: stage.transactional ? TRANSACTION_OPENERS : {},
    codecs: codecsOf(stage),
  };
  const task = stage.fenced ? 'openFencedTask' : stage.transactional ? 'openTransactionalTask' : 'openSourceTask';
  const names = ['createStageHandler', task, ...Object.values(tables).flatMap((names) => Object.values(names))];
  return [
    `import pipeline from ${JSON.stringify(pipelineModule)};`,
    `import { ${names.join(', ')} } from 'millrace/runtime';`,
    `const plan = ${JSON.stringify({ ...plan, stages: [stage] })};`,
    `const adapters = { pipeline, task: ${task}, ${Object.entries(tables)
      .map(([name, names]) => `${name}: ${table(names)}`)
      .join(', ')} };`,
    `export const handler = createStageHandler(plan, ${JSON.stringify(stage.id)}, adapters);`,
    '',
  ].join('\n');
}

function operatorsOf({ operators }: StagePlan): Record<string, string> {
  const kinds = operators.map(({ kind }) => kind);
  return Object.fromEntries(Object.entries(OPERATORS).filter(([kind]) => kinds.includes(kind)));
}

function hasLivingStates({ operators }: StagePlan): boolean {
  return operators.some(({ states }) => states.some(({ version, ttlMs }) => version !== undefined || ttlMs !== undefined));
}

function codecsOf({ produces }: StagePlan): Record<string, string> {
  const wanted = new Set<string | undefined>(Object.values(produces).map(({ compression }) => compression));
  return Object.fromEntries(Object.entries(CODECS).filter(([name]) => wanted.has(name)));
}

function table(openers: Readonly<Record<string, string>>): string {
  const entries = Object.entries(openers).map(([name, opener]) => `${name}: ${opener}`);
  return `{ ${entries.join(', ')} }`;
}
