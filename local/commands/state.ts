import type { StagePlan } from '../../functions/graph/stage-plan.ts';
import { taskOf } from '../../functions/shared/distribution.ts';
import { type Key } from '../../functions/shared/key.ts';
import type { StateBackend } from '../../functions/state/state-backend.ts';
import type { Arguments } from '../args.ts';
import type { CliIo } from '../cli.ts';
import { checkKnown, openAction } from '../inspect/action.ts';
import { describeStage, describeTables, summarizeStage, summarizeTables } from '../inspect/describe-state.ts';
import { openStateToRead, readTask, readTasks, stateMissing, type TaskView } from '../inspect/state-reader.ts';
import { keysOfText, readValue, typeOfKey } from '../inspect/state-value.ts';
import { sizeTables } from '../inspect/table-size.ts';
import { printable } from '../inspect/text-table.ts';
import type { Project } from '../project.ts';

const ACTIONS = { ls: [], count: ['STAGE?', 'TABLE?'], get: ['STAGE', 'OPERATOR', 'STATE', 'KEY'] } as const;

/** `millrace state ls|count|get`: what a pipeline's tasks have committed. Writes nothing; the run may be at work. */
export async function runState(args: Arguments, io: CliIo): Promise<number> {
  const { action, project, words } = await openAction(ACTIONS, args, io);
  const isJson = args.switches.has('json');
  const [stage] = words;
  const stages = project.plan.stages.filter(({ fenced }) => fenced);
  const names = stages.map(({ id }) => id);
  if (stage !== undefined) checkKnown('stage with state', stage, names);
  const chosen = stage === undefined ? stages : stages.filter(({ id }) => id === stage);
  const backend = openStateToRead(project, io);
  try {
    if (action === 'get') await printValue({ project, backend, isJson, io }, chosen[0] as StagePlan, words);
    else await printStages({ project, backend, isJson, io }, chosen, action, words[1]);
    return 0;
  } finally {
    await backend.close();
  }
}

interface Reading {
  readonly project: Project;
  readonly backend: StateBackend;
  readonly isJson: boolean;
  readonly io: CliIo;
}

async function printStages(
  reading: Reading,
  stages: readonly StagePlan[],
  action: 'ls' | 'count',
  table: string | undefined,
): Promise<void> {
  const { project, backend, isJson, io } = reading;
  let found = 0;
  // One stage after the other, as all of a stage's state is in memory meanwhile.
  for (const stage of stages) {
    const tasks = await readTasks(backend, project.plan, stage);
    found += tasks.length;
    const text = action === 'ls' ? describeStage : describeTables;
    const json = action === 'ls' ? summarizeStage : summarizeTables;
    io.stdout.write(isJson ? `${JSON.stringify(json(stage, tasks, table))}\n` : `${text(stage, tasks, table)}\n`);
  }
  if (found === 0) throw noFence(project, stages);
}

/** A value of each key that the text may mean; with `--json` a line each. */
async function printValue(reading: Reading, stage: StagePlan, words: readonly string[]): Promise<void> {
  const { project, isJson, io } = reading;
  const [, operator = '', state = '', text = ''] = words;
  const tasks = await tasksOfKeys(reading, stage, keysOfText(text));
  if (tasks.length === 0) throw noFence(project, [stage]);
  const ids = tableIds(stage, operator, state, tasks);
  let found = 0;
  for (const key of keysOfText(text)) {
    for (const task of tasks) {
      for (const id of ids) {
        const value = readValue(task.state, id, key);
        if (value === undefined) continue;
        found++;
        const { topic, partition, node } = task;
        const place = { stage: stage.id, operator, state, topic, partition, next: node.fence.next, seq: node.fence.seq };
        const shown = { ...place, keyType: typeOfKey(key), key: text, value };
        io.stdout.write(isJson ? `${JSON.stringify(shown)}\n` : describeFound(shown));
      }
    }
  }
  if (found > 0) return;
  const places = tasks.map(({ topic, partition }) => `${topic}-${partition}`).join(', ');
  throw stateMissing(`state ${state} of operator ${operator} holds nothing under key '${text}' (looked in ${places})`);
}

function describeFound(found: {
  readonly key: string;
  readonly keyType: string;
  readonly partition: number;
  readonly seq: number;
  readonly value: unknown;
}): string {
  const { key, keyType, partition, seq, value } = found;
  return `${printable(key)} (${keyType}, task ${partition}, commit ${seq}): ${JSON.stringify(value, null, 2)}\n`;
}

/** Where the state of these keys can be: behind a channel in one task each, in a source's stage in any. */
async function tasksOfKeys({ project: { plan }, backend }: Reading, stage: StagePlan, keys: readonly Key[]): Promise<TaskView[]> {
  const { input, parallelism } = stage;
  if (input.kind === 'source' || parallelism === null) return readTasks(backend, plan, stage);
  const partitions = new Set(keys.map((key) => taskOf(key, plan.maxParallelism, parallelism)));
  const tasks = await Promise.all([...partitions].map((partition) => readTask(backend, plan, stage, input.topic, partition)));
  return tasks.filter((task) => task !== undefined);
}

/** The tables that a state can be in: by the plan or by what is there, as timers are in no plan. @throws MILLRACE_FLAG_INVALID */
function tableIds(stage: StagePlan, operator: string, state: string, tasks: readonly TaskView[]): string[] {
  const tables = sizeTables(tasks).filter(({ kind }) => !kind.startsWith('ttl-'));
  const planned = stage.operators.flatMap(({ uid, states }) => states.map(({ name }) => ({ operator: uid ?? '', state: name })));
  const all = [...planned, ...tables];
  checkKnown(`operator with state in stage ${stage.id}`, operator, [...new Set(all.map((one) => one.operator))]);
  checkKnown(`state of operator ${operator}`, state, [...new Set(all.filter((one) => one.operator === operator).map((one) => one.state))]);
  return tables.filter((one) => one.operator === operator && one.state === state).map(({ id }) => id);
}

function noFence({ plan }: Project, stages: readonly StagePlan[]): Error {
  if (stages.length === 0) return stateMissing(`no stage of pipeline ${plan.pipeline} keeps state`);
  const which = stages.length === 1 ? `stage ${stages[0]?.id ?? ''} of pipeline` : 'pipeline';
  return stateMissing(
    `${which} ${plan.pipeline} has committed nothing in namespace ${plan.namespace} yet; if it has run, give the --namespace, and the --zookeeper or --data, of that run`,
  );
}
