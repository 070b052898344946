import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MemoryStateBackend } from '../../../../functions/state/memory/memory-state-backend.ts';
import { dueFragments } from '../../../../functions/state/compaction.ts';
import { newFence, type Fence } from '../../../../functions/state/fence.ts';
import { tableId } from '../../../../functions/state/tables.ts';
import { TaskState } from '../../../../functions/state/task-state.ts';
import { type FenceNode, TaskStore } from '../../../../functions/state/task-store.ts';

const shape = { maxParallelism: 128, count: 8 };
const table = tableId('value', 'op', 'v');
const limits = { maxDeltas: 64, minCompactionBytes: 1000, portionBytes: 10_000 };

/** A fence with an image of each fragment at `seq` 0, and deltas that touch all of them. */
function fence(imageBytes: number, deltas: number, deltaBytes: number): Fence {
  const all = [...Array(shape.count).keys()];
  return {
    ...newFence(0, 'n', shape),
    seq: deltas,
    images: all.map((fragment) => ({ fragment, seq: 0, paths: [`i-1-n-${fragment}-0`], bytes: imageBytes / shape.count })),
    deltas: all
      .slice(0, 0)
      .concat(...Array.from({ length: deltas }, (_, i) => [i + 1]))
      .map((seq) => ({ seq, paths: [`d-${seq}`], bytes: deltaBytes, fragments: all })),
  };
}

test.each([
  ['a small state as a whole, by the number of deltas', 8000, 63, 1, 64, 1, 8],
  ['a small state as a whole, by their bytes', 8000, 4, 1000, 5, 1000, 8],
  ['a large one in portions, each after its share of them', 80_000, 7, 1, 8, 1, 1],
  ['a large one in portions, by bytes', 80_000, 1, 5000, 1, 5001, 1],
  ['in fewer portions than fragments', 20_000, 31, 1, 32, 1, 4],
])('compacts %s', (_, imageBytes, early, earlyBytes, due, dueBytes, fragments) => {
  expect(dueFragments(fence(imageBytes, early, earlyBytes), limits).size).toBe(0);
  expect(dueFragments(fence(imageBytes, due, dueBytes), limits).size).toBe(fragments);
});

interface Step {
  readonly keys: readonly number[];
  readonly isRemoval: boolean;
  readonly portion: number;
}

const steps = fc.array(
  fc.record<Step>({ keys: fc.array(fc.nat(30), { minLength: 1, maxLength: 4 }), isRemoval: fc.boolean(), portion: fc.nat(4) }),
  { minLength: 1, maxLength: 30 },
);

test('images of different ages and the deltas since the oldest are the state, in a cold environment and in one that follows', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.nat(29), async (all, followsFrom) => {
      const backend = new MemoryStateBackend();
      let drawn = 0;
      const options = { fragments: shape, chunkBytes: 50, maxDeltas: 4, minCompactionBytes: 0, nonce: () => `n${drawn++}` };
      const store = new TaskStore(backend, '/task', options);
      await store.createFence(0);
      let node = (await store.readFence()) as FenceNode;
      const state = new TaskState(0);
      let cached: TaskState | undefined;
      for (const [i, { keys, isRemoval, portion }] of all.entries()) {
        const values = state.table(table);
        for (const key of keys) {
          if (isRemoval) state.delete(values, `s${key}`);
          else state.set(values, `s${key}`, i);
        }
        const isChanged = state.mark() > 0;
        const seq = node.fence.seq + (isChanged ? 1 : 0);
        node = await store.commit(node, { ...node.fence, next: i + 1, seq }, isChanged ? state.delta(shape) : undefined);
        state.settle(seq);
        const stale = [...store.dueFragments(node)].slice(0, portion + 1);
        if (stale.length > 0) node = await store.compact(node, state, new Set(stale));
        if (i === followsFrom) cached = await store.load(node, undefined);
      }
      const expected = [...state.table(table).entries].sort();
      const cold = await store.load(node, undefined);
      expect([...(cold?.table(table).entries ?? [])].sort()).toEqual(expected);
      const warm = await store.load(node, cached && { created: node.created, state: cached });
      expect([...(warm?.table(table).entries ?? [])].sort()).toEqual(expected);

      const { images, deltas } = node.fence;
      expect((await backend.list('/task')).slice().sort()).toEqual([...images, ...deltas].flatMap(({ paths }) => paths).sort());
    }),
    { numRuns: 200 },
  );
});

test('a large state is never rewritten at once, and its deltas stay few', async () => {
  const backend = new MemoryStateBackend();
  let drawn = 0;
  const store = new TaskStore(backend, '/task', {
    ...{ fragments: shape, chunkBytes: 4000, maxDeltas: 32, minCompactionBytes: 0, nonce: () => `n${drawn++}` },
  });
  await store.createFence(0);
  let node = (await store.readFence()) as FenceNode;
  const state = new TaskState(0);
  const sizes: number[] = [];
  let most = 0;
  for (let seq = 1; seq <= 400; seq++) {
    for (let key = 0; key < (seq === 1 ? 1000 : 10); key++)
      state.set(state.table(table), `s${(seq * 31 + key * 97) % 1000}`, randomBytes(60).toString('base64'));
    node = await store.commit(node, { ...node.fence, next: seq, seq }, state.delta(shape));
    state.settle(seq);
    const due = store.dueFragments(node);
    if (due.size > 0) node = await store.compact(node, state, due);
    if (seq > 64) {
      sizes.push(due.size);
      most = Math.max(most, node.fence.deltas.length);
    }
  }

  expect(Math.max(...sizes)).toBe(1);
  expect(most).toBeLessThanOrEqual(2 * 32);
  expect(most).toBeGreaterThan(8);
});
