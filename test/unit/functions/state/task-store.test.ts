import { expect, test } from '@jest/globals';
import { addVerdicts, decodeFence, encodeFence, newFence } from '../../../../functions/state/fence.ts';
import { MemoryStateBackend } from '../../../../functions/state/memory/memory-state-backend.ts';
import { tableId } from '../../../../functions/state/tables.ts';
import { TaskState } from '../../../../functions/state/task-state.ts';
import { type FenceNode, TaskStore } from '../../../../functions/state/task-store.ts';

const table = tableId('value', 'op', 'v');
const fragments = { maxParallelism: 128, count: 4 };

function open(backend = new MemoryStateBackend(), chunkBytes = 64): { store: TaskStore; backend: MemoryStateBackend } {
  let drawn = 0;
  return {
    backend,
    store: new TaskStore(backend, '/task', { fragments, chunkBytes, maxDeltas: 64, minCompactionBytes: 0, nonce: () => `n${drawn++}` }),
  };
}

async function created(store: TaskStore): Promise<FenceNode> {
  await store.createFence(3);
  const node = await store.readFence();
  if (!node) throw new Error('no fence');
  return node;
}

/** Commits the keys as one change. */
async function commit(store: TaskStore, node: FenceNode, state: TaskState, entries: Readonly<Record<string, unknown>>): Promise<FenceNode> {
  for (const [key, value] of Object.entries(entries)) state.set(state.table(table), `s${key}`, value);
  const seq = node.fence.seq + 1;
  const next = await store.commit(node, { ...node.fence, next: node.fence.next + 1, seq }, state.delta(fragments));
  state.settle(seq);
  return next;
}

test('creates a fence at version 1, because version 0 means "any" to a client of ZooKeeper', async () => {
  const { store } = open();

  const node = await created(store);
  await store.createFence(9); // another environment comes second

  expect(node).toMatchObject({ version: 1, fence: { next: 3, seq: 0 } });
  expect((await store.readFence())?.fence.next).toBe(3);
});

test('refuses a commit from a version that has moved on', async () => {
  const { store } = open();
  const node = await created(store);
  await commit(store, node, new TaskState(0), { a: 1 });

  await expect(commit(store, node, new TaskState(0), { a: 2 })).rejects.toMatchObject({ code: 'MILLRACE_CONFLICT' });
  await expect(store.check(node)).rejects.toMatchObject({ code: 'MILLRACE_CONFLICT' });
});

test('brings a cached state up to date with the deltas that it has not seen', async () => {
  const { store } = open();
  const mine = new TaskState(0);
  const first = await commit(store, await created(store), mine, { a: 1 });
  const other = await store.load(first, undefined);
  const second = await commit(store, first, other ?? new TaskState(0), { b: 2 });

  const loaded = await store.load(second, { created: second.created, state: mine });

  expect(loaded).toBe(mine);
  expect([...(loaded?.table(table).entries ?? [])]).toEqual([
    ['sa', 1],
    ['sb', 2],
  ]);
});

test('does not take a cached state of another creation of the fence', async () => {
  const { store } = open();
  const node = await commit(store, await created(store), new TaskState(0), { a: 1 });
  const foreign = new TaskState(1);

  expect(await store.load(node, { created: 'another', state: foreign })).not.toBe(foreign);
});

test('commits and loads deltas of many chunks, and compacts them into images without losing anything', async () => {
  const { store, backend } = open();
  const state = new TaskState(0);
  let node = await created(store);
  const all: Record<string, string> = {};
  for (let i = 0; i < 20; i++) {
    const entries = { [`key${i}`]: 'x'.repeat(i * 20) };
    Object.assign(all, entries);
    node = await commit(store, node, state, entries);
  }

  const compacted = await store.compact(node, state);

  const loaded = await store.load(compacted, undefined);
  expect(Object.fromEntries(loaded?.table(table).entries ?? [])).toEqual(
    Object.fromEntries(Object.entries(all).map(([key, value]) => [`s${key}`, value])),
  );
  expect(compacted.fence.deltas).toEqual([]);
  const named = compacted.fence.images.flatMap(({ paths }) => paths);
  expect((await backend.list('/task')).slice().sort()).toEqual([...named].sort());
});

test('says that a fence was old when a node that it names is gone', async () => {
  const { store } = open();
  const state = new TaskState(0);
  const old = await commit(store, await created(store), state, { a: 1 });
  await store.compact(await commit(store, old, state, { b: 2 }), state);

  expect(await store.load(old, undefined)).toBeUndefined();
});

test('rewrites only the fragments that have changed', async () => {
  const { store } = open();
  const state = new TaskState(0);
  const entries = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`key${i}`, i]));
  const first = await store.compact(await commit(store, await created(store), state, entries), state);

  const second = await store.compact(await commit(store, first, state, { key1: 'new' }), state);

  const kept = second.fence.images.filter((image) => first.fence.images.some(({ paths }) => paths[0] === image.paths[0]));
  expect(kept).toHaveLength(3);
});

test('a new fence holds nothing', () => {
  expect(newFence(5, 'n', fragments)).toMatchObject({
    next: 5,
    seq: 0,
    watermark: -Infinity,
    images: [],
    deltas: [],
    verdicts: new Map(),
    gaps: 0,
  });
});

test.each([
  ['in the multi', 20, 1],
  ['in chunks ahead of it', 200, 4],
])('commits pending outputs %s, keeps them through a compaction, and deletes them with the next commit', async (_, bytes, chunks) => {
  const { store, backend } = open();
  const node = await created(store);
  const pending = new Uint8Array(bytes).fill(7);
  const state = new TaskState(0);
  state.set(state.table(table), 'sa', 1);

  const first = await store.commit(node, { ...node.fence, seq: 1 }, state.delta(fragments), pending);
  state.settle(1);
  const compacted = await store.compact(first, state);

  expect(compacted.fence.pending).toHaveLength(chunks);
  expect(await store.readPending(compacted)).toEqual(Buffer.from(pending));
  const next = await store.commit(compacted, { ...compacted.fence, next: 4 }, undefined);
  expect(next.fence.pending).toEqual([]);
  expect((await backend.list('/task')).filter((name) => name.startsWith('p-'))).toEqual([]);
  expect(await store.readPending(first)).toBeUndefined();
});

test('a fence with a verdict on each of 100,000 records of one message fits one node', () => {
  const failure = { code: 'MILLRACE_USER_FUNCTION', message: 'no', stack: '', attempts: 3 };
  const cuts = Array.from({ length: 100_000 }, (_, position) => ({ position, failure }));

  const fence = { ...newFence(7, 'n', fragments), ...addVerdicts(newFence(7, 'n', fragments), 7, cuts) };

  expect(encodeFence(fence).length).toBeLessThan(800_000);
  expect(decodeFence(encodeFence(fence))).toEqual(fence);
});

test('verdicts on another message are over', () => {
  const failure = { code: 'MILLRACE_USER_FUNCTION', message: 'no', stack: '', attempts: 3 };
  const first = addVerdicts(newFence(7, 'n', fragments), 7, [{ position: 1, failure }]);

  expect(addVerdicts(first, 7, [{ position: 2, failure }])).toMatchObject({
    decided: 7,
    verdicts: new Map([
      [1, 0],
      [2, 0],
    ]),
  });
  expect(addVerdicts(first, 8, [{ position: 2, failure }])).toMatchObject({ decided: 8, verdicts: new Map([[2, 0]]) });
});

test.each([
  { maxParallelism: 64, count: 4 },
  { maxParallelism: 128, count: 8 },
])('a plan with %j does not get at state of 128 key groups in 4 fragments', async (other) => {
  const { store, backend } = open();
  await created(store);
  const options = { chunkBytes: 64, maxDeltas: 64, minCompactionBytes: 0, nonce: () => 'x' };

  await expect(new TaskStore(backend, '/task', { ...options, fragments: other }).readFence()).rejects.toMatchObject({
    code: 'MILLRACE_OPTION_INVALID',
    message: expect.stringMatching(/state at \/task was laid out with maxParallelism 128 and stateFragments 4, this plan has \d+ and \d/),
  });
});
