import { existsSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';
import { parseZooKeeperConfig } from '../../functions/coordination/zookeeper/config.ts';
import type { PipelinePlan, StagePlan } from '../../functions/graph/stage-plan.ts';
import { taskPath } from '../../functions/runtime/open-task-store.ts';
import { MillraceError } from '../../functions/shared/errors.ts';
import type { StateBackend } from '../../functions/state/state-backend.ts';
import type { TaskState } from '../../functions/state/task-state.ts';
import { type FenceNode, TaskStore } from '../../functions/state/task-store.ts';
import { openZooKeeperStateBackend } from '../../functions/state/zookeeper/state-backend.ts';
import type { CliIo } from '../cli.ts';
import type { Project } from '../project.ts';
import { inputTopics } from '../stage-topics.ts';
import { readStateStore } from '../state-store.ts';
import { wrongCall } from './action.ts';

/** A task's fence, and the state at exactly this fence. */
export interface TaskView {
  readonly stage: string;
  readonly topic: string;
  readonly partition: number;
  readonly node: FenceNode;
  readonly state: TaskState;
}

/** How often a task that goes on committing is read anew. */
const MAX_TRIES = 20;

/** The store that a run with the same settings keeps its state in. */
export function openStateToRead({ config }: Project, { env, cwd }: Pick<CliIo, 'env' | 'cwd'>): StateBackend {
  const { zookeeper, data } = config;
  if (zookeeper !== undefined) return openZooKeeperStateBackend(parseZooKeeperConfig({ ...env, MILLRACE_ZOOKEEPER: zookeeper }));
  if (data === undefined)
    throw wrongCall('without --zookeeper HOST:PORT or --data DIR a run keeps its state in memory; give what the run was given');
  const path = join(resolve(cwd, data), 'state.log');
  if (existsSync(path)) return readStateStore(path);
  throw stateMissing(`--data ${data} holds no state; give the folder that a run was given`);
}

/** The tasks of a stage that have a fence, in order of partition. */
export async function readTasks(backend: StateBackend, plan: PipelinePlan, stage: StagePlan): Promise<TaskView[]> {
  const tasks: TaskView[] = [];
  for (const topic of inputTopics(stage)) {
    for (const partition of await listPartitions(backend, plan, stage, topic)) {
      const task = await readTask(backend, plan, stage, topic, partition);
      if (task) tasks.push(task);
    }
  }
  return tasks;
}

async function listPartitions(backend: StateBackend, plan: PipelinePlan, stage: StagePlan, topic: string): Promise<number[]> {
  const names = await backend.list(posix.dirname(taskPath(plan, stage.id, topic, 0)));
  const numbers = names.filter((name) => name.startsWith(`${topic}-`)).map((name) => name.slice(topic.length + 1));
  return numbers
    .filter((text) => /^\d+$/.test(text))
    .map(Number)
    .sort((a, b) => a - b);
}

/**
 * One task; undefined while it has no fence. A node that is missing has been compacted away, so the fence was old: both are read again.
 *
 * @throws MILLRACE_STATE_CORRUPT a node of the fence's is missing. MILLRACE_CONFLICT it was committed faster than it can be read.
 */
export async function readTask(
  backend: StateBackend,
  plan: PipelinePlan,
  { id: stage }: Pick<StagePlan, 'id'>,
  topic: string,
  partition: number,
): Promise<TaskView | undefined> {
  const path = taskPath(plan, stage, topic, partition);
  const store = openStore(backend, plan, path);
  let before: FenceNode | undefined;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const node = await store.readFence();
    if (!node) return undefined;
    // Nodes go after the fence that no longer names them, and a session never reads backwards.
    if (before?.version === node.version && before.created === node.created)
      throw new MillraceError('MILLRACE_STATE_CORRUPT', `fence ${path} names nodes that are not there: ${namesOf(node).join(', ')}`);
    const state = await store.load(node, undefined);
    if (state) return { stage, topic, partition, node, state };
    before = node;
  }
  throw new MillraceError('MILLRACE_CONFLICT', `${path} was committed and compacted during each of ${MAX_TRIES} readings; try again`);
}

function namesOf({ fence: { images, deltas } }: FenceNode): string[] {
  return [...images, ...deltas].flatMap(({ paths }) => paths).slice(0, 5);
}

/** For reading only: what concerns writing has no effect. */
function openStore(backend: StateBackend, { maxParallelism, stateFragments }: PipelinePlan, path: string): TaskStore {
  const fragments = { maxParallelism, count: stateFragments };
  return new TaskStore(backend, path, { fragments, chunkBytes: 1, nonce: () => '', maxDeltas: 1, minCompactionBytes: 1 });
}

export function stateMissing(message: string): MillraceError {
  return new MillraceError('MILLRACE_STATE_MISSING', message);
}
