/** A fence and the state that belongs to it, also where others commit and compact between two reads. */
import { expect, test } from '@jest/globals';
import type { PipelinePlan } from '../../../../functions/graph/stage-plan.ts';
import { taskPath } from '../../../../functions/runtime/open-task-store.ts';
import { stateKey } from '../../../../functions/shared/key.ts';
import { MemoryStateBackend } from '../../../../functions/state/memory/memory-state-backend.ts';
import type { StateBackend } from '../../../../functions/state/state-backend.ts';
import { TaskState } from '../../../../functions/state/task-state.ts';
import { TaskStore } from '../../../../functions/state/task-store.ts';
import { readTask } from '../../../../local/inspect/state-reader.ts';

const plan = { namespace: 'n', pipeline: 'p', maxParallelism: 8, stateFragments: 2 } as PipelinePlan;
const path = taskPath(plan, 's', 't', 0);
const fragments = { maxParallelism: 8, count: 2 };
const TABLE = 'value:op/count';

/** A task that others write: each step commits the next number, and compacts. */
class Writer {
  readonly memory = new MemoryStateBackend();
  private readonly store: TaskStore;
  private readonly state = new TaskState(0);
  private nonces = 0;

  constructor() {
    const nonce = (): string => `n${this.nonces++}`;
    this.store = new TaskStore(this.memory, path, { fragments, chunkBytes: 1000, nonce, maxDeltas: 1, minCompactionBytes: 1 });
  }

  async step(): Promise<void> {
    if (!(await this.store.readFence())) await this.store.createFence(0);
    const node = await this.store.readFence();
    if (!node) throw new Error('no fence');
    const { fence } = node;
    this.state.set(this.state.table(TABLE), stateKey('k'), fence.next + 1);
    const next = await this.store.commit(node, { ...fence, next: fence.next + 1, seq: fence.seq + 1 }, this.state.delta(fragments));
    this.state.settle(next.fence.seq);
    await this.store.compact(next, this.state);
  }
}

/** Reads of `memory`; `before` runs ahead of each read of a node that is not the fence. */
function interrupted(memory: StateBackend, before: () => Promise<void>): StateBackend {
  const read = async (at: string): ReturnType<StateBackend['read']> => {
    if (at !== path) await before();
    return memory.read(at);
  };
  const { limits } = memory;
  return { limits, read, list: (at) => memory.list(at), multi: (ops) => memory.multi(ops), close: () => memory.close() };
}

test('a task without a fence is none', async () => {
  await expect(readTask(new MemoryStateBackend(), plan, { id: 's' }, 't', 0)).resolves.toBeUndefined();
});

test('a commit and a compaction between fence and state: both are read again', async () => {
  const writer = new Writer();
  await writer.step();
  let left = 3;
  const backend = interrupted(writer.memory, async () => {
    if (left-- > 0) await writer.step();
  });

  const task = await readTask(backend, plan, { id: 's' }, 't', 0);

  expect(left).toBeLessThan(0);
  expect(task?.node.fence.next).toBe(4);
  expect(task?.state.table(TABLE).entries.get(stateKey('k'))).toBe(4);
});

test('a task that is never at rest is given up', async () => {
  const writer = new Writer();
  await writer.step();
  let reads = 0;
  const backend = interrupted(writer.memory, () => {
    reads++;
    return writer.step();
  });

  await expect(readTask(backend, plan, { id: 's' }, 't', 0)).rejects.toMatchObject({
    code: 'MILLRACE_CONFLICT',
    message: expect.stringContaining('during each of 20 readings'),
  });
  expect(reads).toBe(20);
});

test('a node that is missing though its fence has not moved is damage', async () => {
  const writer = new Writer();
  await writer.step();
  const [image = ''] = await writer.memory.list(path);
  await writer.memory.multi([{ op: 'delete', path: `${path}/${image}` }]);

  await expect(readTask(writer.memory, plan, { id: 's' }, 't', 0)).rejects.toMatchObject({
    code: 'MILLRACE_STATE_CORRUPT',
    message: expect.stringContaining(`names nodes that are not there: ${image}`),
  });
});
