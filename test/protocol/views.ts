import type { StagePlan } from '../../functions/graph/stage-plan.ts';
import { fromStateKey } from '../../functions/shared/key.ts';
import type { Fence } from '../../functions/state/fence.ts';
import { tableId } from '../../functions/state/tables.ts';
import { TaskStore } from '../../functions/state/task-store.ts';
import type { TaskState } from '../../functions/state/task-state.ts';
import type { Emitted, Item } from './pipeline.ts';
import type { World } from './world.ts';

export interface Applied {
  readonly id: string;
  readonly time: number | null;
}

/** What a task's committed state says about one key. */
export interface KeyView {
  readonly task: number;
  readonly key: string;
  readonly history: readonly Applied[];
  readonly emitted: readonly Emitted[];
  readonly late: readonly string[];
  readonly afterEnd: readonly string[];
}

/** The committed state of a stage, as its fences name it. */
export interface StageView {
  readonly uid: 'b' | 'c';
  readonly keys: readonly KeyView[];
  readonly fences: readonly (Fence | undefined)[];
  /** `dead/<origin>` entries. */
  readonly dead: readonly string[];
  /** Timers that have not fired, of both domains. */
  readonly pending: readonly string[];
  /** State that a fence names and the store does not have. */
  readonly missing: readonly string[];
}

export async function readStage(world: World, stage: StagePlan, uid: 'b' | 'c'): Promise<StageView> {
  const tasks = await Promise.all(Array.from({ length: world.partitionsOf(stage) }, (_, p) => readTask(world, stage, p)));
  return {
    uid,
    keys: tasks.flatMap(({ state }, task) => (state ? keysOf(state, uid, task) : [])),
    fences: tasks.map(({ fence }) => fence),
    dead: tasks.flatMap(({ state }) => namesIn(state, tableId('value', '$runtime', 'dead'))),
    pending: tasks.flatMap(({ state }) =>
      ['event', 'processing'].flatMap((domain) => [...(state?.table(tableId('timers', uid, domain)).entries.keys() ?? [])]),
    ),
    missing: tasks.flatMap(({ fence, state }, task) => (fence && !state ? [`${uid}/${task}`] : [])),
  };
}

async function readTask(
  world: World,
  stage: StagePlan,
  partition: number,
): Promise<{ fence: Fence | undefined; state: TaskState | undefined }> {
  const { maxParallelism, stateFragments } = world.plan;
  const store = new TaskStore(world.state.snapshot(), world.fencePath(stage, partition), {
    fragments: { maxParallelism, count: stateFragments },
    chunkBytes: 1,
    nonce: () => '',
    maxDeltas: 1,
    minCompactionBytes: 1,
  });
  const node = await store.readFence();
  // What cannot be read is as lost as what is not there.
  return { fence: node?.fence, state: node && (await store.load(node, undefined).catch(() => undefined)) };
}

function keysOf(state: TaskState, uid: string, task: number): KeyView[] {
  const entries = (name: string): ReadonlyMap<string, unknown> => state.table(tableId('value', uid, name)).entries;
  const list = (name: string, key: string): readonly unknown[] => (entries(name).get(key) as readonly unknown[] | undefined) ?? [];
  const keys = new Set(['history', 'emitted', 'late', 'after-end'].flatMap((name) => [...entries(name).keys()]));
  return [...keys].sort().map((key) => ({
    task,
    key: String(fromStateKey(key)),
    history: (list('history', key) as (readonly [string, number | null])[]).map(([id, time]) => ({ id, time })),
    emitted: list('emitted', key) as Emitted[],
    late: list('late', key) as string[],
    afterEnd: list('after-end', key) as string[],
  }));
}

function namesIn(state: TaskState | undefined, table: string): string[] {
  return state ? [...state.table(table).entries.keys()].map((key) => String(fromStateKey(key))) : [];
}

/** A dead letter, once for each origin. */
export interface Letter {
  readonly origin: string;
  readonly stage: string;
  readonly kind: string;
  readonly error: string;
  /** Id of the record; text of the timer. */
  readonly what: string;
}

/** As readers see them: copies of equal origin are dropped. */
export function readLetters(world: World): Letter[] {
  const seen = new Map<string, Letter>();
  const { deadLetterTopic } = world.plan;
  for (const { headers, value } of [...world.log.partition(deadLetterTopic, 0), ...world.transactions.decided(deadLetterTopic)]) {
    const header = (name: string): string => Buffer.from(headers?.find(([one]) => one === `millrace-${name}`)?.[1] ?? []).toString();
    const [origin, stage, kind, error] = [header('origin'), header('stage'), header('kind'), header('error')];
    const name = world.switches.copiesOfLetters === true ? `${seen.size}` : origin;
    if (!seen.has(name)) seen.set(name, { origin, stage, kind, error, what: whatOf(kind, value ?? new Uint8Array()) });
  }
  return [...seen.values()];
}

function whatOf(kind: string, value: Uint8Array): string {
  const text = Buffer.from(value).toString();
  if (kind === 'record') return (JSON.parse(text) as { readonly value: Item }).value.id;
  return kind === 'timer' ? text : (JSON.parse(text.replace(/^bad /, '')) as Item).id;
}
