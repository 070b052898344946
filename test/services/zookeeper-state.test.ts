/** Fence, deltas, images and chunks of a task in a real ZooKeeper. */
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { StateBackend, StateOp } from '../../functions/state/state-backend.ts';
import { tableId } from '../../functions/state/tables.ts';
import { TaskState } from '../../functions/state/task-state.ts';
import { type FenceNode, TaskStore } from '../../functions/state/task-store.ts';
import { openZooKeeperStateBackend } from '../../functions/state/zookeeper/state-backend.ts';
import { describeWithOwnServers } from '../helpers/services.ts';
import { makeChroot } from '../helpers/zookeeper.ts';
import { openZooKeeper } from './instances.ts';
import type { Server } from './server.ts';

const TASK = '/millrace/default/orders/total/default.orders.total.g1-3';
const table = tableId('value', 'op', 'v');
const fragments = { maxParallelism: 128, count: 16 };
const MB = 1_000_000;

// A server of its own: ZooKeeper keeps its last 500 writes in memory, whatever becomes of their nodes.
describeWithOwnServers('task state in ZooKeeper', () => {
  let server: Server;
  let backend: StateBackend;
  let drawn = 0;

  beforeAll(async () => {
    server = await openZooKeeper();
  });
  afterAll(() => server.remove());

  beforeEach(async () => {
    backend = openZooKeeperStateBackend(await makeChroot(server.address));
  });
  afterEach(() => backend.close());

  const open = (over = backend): TaskStore =>
    new TaskStore(over, TASK, {
      fragments,
      chunkBytes: 512 * 1024,
      maxDeltas: 64,
      minCompactionBytes: 64 * 1024,
      nonce: () => `n${drawn++}`,
    });

  async function created(store: TaskStore): Promise<FenceNode> {
    await store.createFence(0);
    const node = await store.readFence();
    if (!node) throw new Error('no fence');
    return node;
  }

  /** A change of `bytes` in values of 10 kB that can't be made smaller. */
  function change(state: TaskState, bytes: number, letter: string): void {
    for (let i = 0; i < bytes / 10_000; i++)
      state.set(state.table(table), `skey-${i}`, letter + randomBytes(5000).toString('hex').slice(1));
  }

  async function commit(store: TaskStore, node: FenceNode, state: TaskState): Promise<FenceNode> {
    const seq = node.fence.seq + 1;
    const committed = await store.commit(node, { ...node.fence, next: node.fence.next + 1, seq }, state.delta(fragments));
    state.settle(seq);
    return committed;
  }

  /** First letters and lengths of all values. */
  function valuesOf(state: TaskState | undefined): Set<string> {
    const values = [...(state?.table(table).entries.values() ?? [])].map(String);
    return new Set(values.map((value) => `${value.slice(0, 1)}${value.length}`));
  }

  test('a fence is made with its parents, at version 1, once', async () => {
    const stores = [open(), open(), open()];

    await Promise.all(stores.map((store) => store.createFence(7)));

    expect(await stores[0]?.readFence()).toMatchObject({ version: 1, fence: { next: 7 } });
  });

  test('of two first commits at one version one wins', async () => {
    const stores = [open(), open()];
    const node = await created(stores[0] ?? open());
    const states = stores.map(() => new TaskState(0));
    for (const [i, state] of states.entries()) change(state, 50_000, String(i));

    const outcomes = await Promise.allSettled(stores.map((store, i) => commit(store, node, states[i] ?? new TaskState(0))));

    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'MILLRACE_CONFLICT' } });
  });

  test('a change of 20 MB commits as a whole, is compacted, and is read back cold', async () => {
    const store = open();
    const state = new TaskState(0);
    let node = await created(store);
    change(state, 20 * MB, 'a');
    node = await commit(store, node, state);

    expect(node.fence.deltas[0]?.bytes).toBeGreaterThan(20 * MB);
    expect(valuesOf(await open().load(node, undefined))).toEqual(new Set(['a10000']));

    node = await store.compact(node, state);
    expect(node.fence).toMatchObject({ deltas: [], imageSeq: 1 });
    expect(valuesOf(await open().load((await store.readFence()) ?? node, undefined)).size).toBe(1);
    const named = node.fence.images.flatMap(({ paths }) => paths);
    expect((await backend.list(TASK)).filter((name) => !named.includes(name))).toEqual([]);
  });

  test('cut off at any of its writes, a large change is not there at all', async () => {
    const store = open();
    const before = new TaskState(0);
    change(before, MB, 'a');
    const node = await commit(store, await created(store), before);
    for (let writes = 0; writes < 4; writes++) {
      const after = await open().load(node, undefined);
      if (!after) throw new Error('the state is gone');
      change(after, 1.5 * MB, 'b');

      await expect(commit(open(endingAfter(writes, backend)), node, after)).rejects.toThrow('killed');

      expect(valuesOf(await open().load((await store.readFence()) ?? node, undefined))).toEqual(new Set(['a10000']));
    }
  });

  test('one value of 4 MB comes back', async () => {
    const store = open();
    const state = new TaskState(0);
    const large = 'ä'.repeat(2 * MB);
    state.set(state.table(table), 'sada', large);
    const node = await commit(store, await created(store), state);

    expect((await open().load(node, undefined))?.table(table).entries.get('sada') === large).toBe(true);
  });

  test('a fence stays small whatever the state: its manifest names a node for each half MB', async () => {
    const store = open();
    const state = new TaskState(0);
    let node = await created(store);
    for (const letter of 'abcde') {
      change(state, MB, letter);
      node = await commit(store, node, state);
      const due = store.dueFragments(node);
      if (due.size > 0) node = await store.compact(node, state, due);
    }

    expect((await backend.read(TASK))?.data.length).toBeLessThan(4000);
    expect(valuesOf(await open().load(node, undefined))).toEqual(new Set(['e10000']));
  });
});

/** Lets so many writes through; the process then ends. */
function endingAfter(writes: number, backend: StateBackend): StateBackend {
  let left = writes;
  const multi = (ops: readonly StateOp[]): Promise<void> => (left-- > 0 ? backend.multi(ops) : Promise.reject(new Error('killed')));
  return {
    limits: backend.limits,
    read: (path) => backend.read(path),
    list: (path) => backend.list(path),
    close: () => backend.close(),
    multi,
  };
}
