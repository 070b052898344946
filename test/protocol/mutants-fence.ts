import type { Mutant } from './mutation.ts';

const TASK = 'runtime/fenced-task.ts';
const RUN = 'runtime/fenced-run.ts';
const STORE = 'state/task-store.ts';

/** Rules about fence, state and commit: sections 3 and 5, awaits A1, A2, A4, A7 and A8. */
export const FENCE_MUTANTS: readonly Mutant[] = [
  {
    name: 'fenceAtVersion0',
    rule: '§3 the fence is created and set in one multi, as version 0 means "any" ◆',
    edits: [{ file: STORE, find: "        { op: 'set', path: this.path, data, version: 0 },\n", replace: '' }],
    world: { chunkBytes: 60 },
    seed: 29,
  },
  {
    name: 'lateFence',
    rule: '§5 A1 nothing is computed from a fence that is not there ◆',
    edits: [
      {
        file: TASK,
        find: 'const node = await this.store.readFence(); // A1',
        replace: `const node = (await this.store.readFence()) ?? ({ version: 0, created: '', fence: {
          maxParallelism: this.store.fragments.maxParallelism, stateFragments: this.store.fragments.count, next: this.runtime.readsSource ? this.next : 0, lastTime: -1, marks: new Map(),
          watermarks: new Map(), idle: new Set(), taskCounts: new Map(), watermark: -Infinity, generator: -Infinity, processingTime: -Infinity, seq: 0, imageSeq: 0, images: [], deltas: [],
          verdicts: new Map(), decided: -1, failures: [], pending: [], gaps: 0, nonce: '' } } as FenceNode);`,
      },
      {
        file: STORE,
        find: "await this.backend.multi([{ op: 'set', path: this.path, data: encodeFence(fence), version: node.version }, ...ops]);",
        replace: `const data = encodeFence(fence);
          const fresh = node.created === '' ? [{ op: 'create' as const, path: this.path, data }] : [];
          await this.backend.multi([...fresh, { op: 'set', path: this.path, data, version: node.version }, ...ops]).catch((error: unknown) => {
            throw isMillraceError(error, 'MILLRACE_NODE_EXISTS') ? Object.assign(error, { code: 'MILLRACE_CONFLICT', retry: 'backoff' }) : error;
          });`,
      },
    ],
    seed: 12,
  },
  {
    name: 'commitAtAnyVersion',
    rule: '§5 A7 the fence is set at the version read',
    edits: [{ file: STORE, find: 'data: encodeFence(fence), version: node.version }', replace: 'data: encodeFence(fence), version: 0 }' }],
    world: { chunkBytes: 60 },
    seed: 5,
  },
  {
    name: 'commitNotAwaited',
    rule: '§5 A7 success is returned only after the commit',
    edits: [
      {
        file: STORE,
        find: "await this.backend.multi([{ op: 'set', path: this.path, data: encodeFence(fence), version: node.version }, ...ops]);",
        replace: `void this.backend.multi([{ op: 'set', path: this.path, data: encodeFence(fence), version: node.version }, ...ops]).catch(() => undefined);`,
      },
    ],
    seed: 6,
  },
  {
    name: 'chunkNotAwaited',
    rule: '§5 A7 chunks are there before the fence names them',
    edits: [
      {
        file: STORE,
        find: "await this.backend.multi([{ op: 'create', path: this.child(path), data }]);",
        replace: `void this.backend.multi([{ op: 'create', path: this.child(path), data }]).catch(() => undefined);`,
      },
    ],
    world: { chunkBytes: 60 },
    seed: 1,
  },
  {
    name: 'deltaAhead',
    rule: '§3 a delta is created in the multi that sets the fence',
    edits: [
      {
        file: STORE,
        find: "if (!chunked) ops.push({ op: 'create', path: this.child(`d-${fence.seq}`), data: bytes });",
        replace: `if (!chunked) await this.backend.multi([{ op: 'create', path: this.child(\`d-\${fence.seq}\`), data: bytes }]).catch((error: unknown) => {
          if (!isMillraceError(error, 'MILLRACE_NODE_EXISTS')) throw error;
        });`,
      },
    ],
    world: { chunkBytes: 100_000 },
    seed: 35,
  },
  {
    name: 'chunkNames',
    rule: '§3 no name is used twice; §5 A7 NodeExists on a chunk is never success ◆',
    edits: [
      {
        file: STORE,
        find: 'await this.writeChunks(`c-${node.version}-${this.options.nonce()}`, bytes)',
        replace: 'await this.writeChunks(`c-${node.version}-x`, bytes)',
      },
      {
        file: STORE,
        find: "await this.backend.multi([{ op: 'create', path: this.child(path), data }]);",
        replace: `await this.backend.multi([{ op: 'create', path: this.child(path), data }]).catch((error: unknown) => {
          if (!isMillraceError(error, 'MILLRACE_NODE_EXISTS')) throw error;
        });`,
      },
    ],
    world: { chunkBytes: 60, batch: 4 },
    seed: 1,
  },
  {
    name: 'sweepAll',
    rule: '§3 only what has a base version below the fence’s may be swept ◆',
    edits: [{ file: STORE, find: 'if (prepared) return Number(prepared[1]) < version;', replace: 'if (prepared) return true;' }],
    world: {
      chunkBytes: 60,
      maxDeltas: 1,
      batch: 1,
      records: 12,
      faults: 13,
      topology: 'direct',
      slow: false,
      bounded: false,
      partitions: 1,
      tasksC: 1,
    },
    seed: 2444,
  },
  {
    name: 'sweepNewDeltas',
    rule: '§3 a delta above the fence’s seq is somebody’s newer commit',
    edits: [{ file: STORE, find: 'return delta !== null && Number(delta[1]) <= seq;', replace: 'return delta !== null;' }],
    world: {
      maxDeltas: 3,
      minCompactionBytes: 100_000,
      chunkBytes: 100_000,
      batch: 1,
      records: 20,
      faults: 13,
      slow: false,
      topology: 'direct',
      bounded: false,
      partitions: 1,
      tasksC: 1,
    },
    seed: 255,
  },
  {
    name: 'sweepFirst',
    rule: '§5 A8 the old manifest’s nodes are deleted only after the fence names others',
    edits: [
      {
        file: STORE,
        find: 'const named = namedBy(next);',
        replace: 'const named = namedBy(next);\n    await this.sweep({ ...node, fence: next });',
      },
    ],
    world: { maxDeltas: 1 },
    seed: 1,
  },
  {
    name: 'cleanImagesForgotten',
    rule: '§3 images of fragments that the deltas do not touch stay in the manifest',
    edits: [{ file: 'state/compaction.ts', find: '...fence.images.filter(({ fragment }) => !fresh.has(fragment)), ', replace: '' }],
    world: { stateFragments: 16, maxDeltas: 1, keys: 3 },
    seed: 1,
  },
  {
    name: 'deltasDroppedEarly',
    rule: '§5 A8 a delta stays until images of all fragments that it touches hold it',
    edits: [{ file: 'state/compaction.ts', find: 'return fragments.every(', replace: 'return fragments.some(' }],
    world: { stateFragments: 16, maxDeltas: 1, chunkBytes: 60, keys: 3 },
    seed: 1,
  },
  {
    name: 'missingIsEmpty',
    rule: '§5 A2 a missing node is never "empty" ◆',
    edits: [{ file: STORE, find: 'if (!part) return undefined;', replace: 'if (!part) continue;' }],
    world: { maxDeltas: 1 },
    seed: 12,
  },
  {
    name: 'oldImageTrusted',
    rule: '§3 a cached image is brought up to date only if the deltas reach back to it (I8)',
    edits: [{ file: STORE, find: 'return seq <= fence.seq && seq >= fence.imageSeq;', replace: 'return seq <= fence.seq;' }],
    world: { maxDeltas: 1 },
    seed: 1,
  },
  {
    name: 'sharedImage',
    rule: '§5 A2 the image is taken out of the cache: one owner ◆',
    edits: [{ file: 'runtime/task-cache.ts', find: '    this.entries.delete(task);\n', replace: '' }],
    seed: 1,
  },
  {
    name: 'imageAfterConflict',
    rule: '§5 A7 after a conflict or an unknown outcome the image is dropped',
    edits: [
      {
        file: TASK,
        find: 'else if (messages.length > 0) await this.applyAll(held, messages);',
        replace: `else if (messages.length > 0) await this.applyAll(held, messages).catch((error: unknown) => {
          this.runtime.states.putBack(this.task, { created: held.node.created, state });
          throw error;
        });`,
      },
    ],
    seed: 2,
  },
  {
    name: 'twoOwners',
    rule: '§5 A8 still owner of the image all along the compaction',
    edits: [
      {
        file: TASK,
        find: 'if (due.size > 0) await this.compact(held, due);',
        replace:
          'this.runtime.states.putBack(this.task, { created: held.node.created, state: held.state });\n    if (due.size > 0) await this.compact(held, due);',
      },
    ],
    world: { maxDeltas: 1 },
    seed: 79,
  },
  {
    name: 'seqGoesBack',
    rule: '§3 seq never goes back ◆',
    edits: [
      {
        file: TASK,
        find: 'seq: held.node.fence.seq + (delta ? 1 : 0) };',
        replace: 'seq: held.node.fence.deltas.length + (delta ? 1 : 0) };',
      },
    ],
    world: { maxDeltas: 2 },
    seed: 1,
  },
  {
    name: 'noGapCheck',
    rule: '§5 A4 a batch above the fence may mean that the fence is old ◆',
    edits: [
      { file: TASK, find: 'const gap = messages[0] !== undefined && messages[0].offset > node.fence.next;', replace: 'const gap = false;' },
      { file: RUN, find: 'if (message.offset > this.draft.next) this.noteGap(message);', replace: '' },
    ],
    world: { topology: 'chain' },
    seed: 96,
  },
  {
    name: 'gapWithoutCheck',
    rule: '§5 A4 on a channel only a write can tell a gap from an old fence ◆',
    edits: [{ file: TASK, find: '      await this.store.check(held.node);\n', replace: '' }],
    world: { topology: 'chain' },
    seed: 12,
  },
  {
    name: 'gapInsideBatch',
    rule: '§5 A4 every gap of a source is counted, wherever batches are cut (I1, I6)',
    edits: [{ file: RUN, find: '    this.draft.gaps++;\n', replace: '' }],
    world: { topology: 'direct' },
    seed: 3,
  },
  {
    name: 'nextIgnored',
    rule: '§5 A4 input below `next` is dropped',
    edits: [{ file: TASK, find: 'messages.findIndex((message) => message.offset >= fence.next);', replace: '0;' }],
    world: { topology: 'direct' },
    seed: 1,
  },
  {
    name: 'noParts',
    rule: '§5 long batches are committed in parts, well before the deadline',
    edits: [{ file: TASK, find: '() => ports.clock.now() > enoughAt', replace: '() => ports.clock.now() < 0' }],
    world: { slow: true, topology: 'direct', partitions: 1, records: 40, batch: 40 },
    seed: 1,
  },
  {
    name: 'checkInPart',
    rule: '§5 a part that is run twice is run twice to the same message',
    edits: [
      {
        file: TASK,
        find: 'new Map(), Infinity);',
        replace: 'new Map(), this.runtime.ports.clock.now() + (this.deadline - this.runtime.ports.clock.now()) / 4);',
      },
    ],
    world: { slow: true, topology: 'direct', determinismEvery: 1, partitions: 1, records: 40, batch: 40 },
    seed: 1,
  },
];
