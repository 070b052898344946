import { encodeValue } from '../../../functions/codec/value.ts';
import { decodeJournal, OutputJournal } from '../../../functions/runtime/output-journal.ts';
import { fromStateKey, stateKey } from '../../../functions/shared/key.ts';
import { addVerdicts, compareOrigins, decodeFence, encodeFence, type Fence, newFence } from '../../../functions/state/fence.ts';
import { fromStored, toStored } from '../../../functions/state/stored-bytes.ts';
import { entryKey, MapTable, tableId, TimerTable } from '../../../functions/state/tables.ts';
import { TaskState } from '../../../functions/state/task-state.ts';
import { bytesTarget, valueTarget } from '../target.ts';

const failure = { code: 'MILLRACE_USER_FUNCTION', message: 'no', stack: 'at f', attempts: 3 };

const LAYOUT = { maxParallelism: 128, count: 4 };

const FULL: Fence = {
  ...newFence(17, 'abc', LAYOUT),
  lastTime: 1_700_000_000_000,
  marks: new Map([
    ['up/in-0@1', { offset: 4, ordinal: 1, emission: 0, time: 1_700_000_000_000 }],
    ['up/in-1@1', { offset: 9, ordinal: 0, emission: 2, time: 1_700_000_000_001 }],
  ]),
  watermarks: new Map([
    ['up/in-0@1', 200],
    ['up/in-1@1', Infinity],
  ]),
  idle: new Set(['up/in-0@1', 'up/in-2@1']),
  taskCounts: new Map([['up', 3]]),
  watermark: 200,
  processingTime: 1_700_000_000_001,
  seq: 5,
  imageSeq: 3,
  images: [{ seq: 0, fragment: 0, paths: ['i-2-abc-0-0', 'i-2-abc-0-1'], bytes: 900_000 }],
  deltas: [
    { seq: 4, paths: ['d-4'], bytes: 70, fragments: [0, 3] },
    { seq: 5, paths: ['c-7-xyz-0', 'c-7-xyz-1'], bytes: 700_000, fragments: [1] },
  ],
  ...addVerdicts({ verdicts: new Map(), decided: -1, failures: [] }, 17, [{ position: 17, failure }]),
  pending: ['p-7-xyz-0'],
  gaps: 1,
};

/** A fence is compared, merged and written again as the runtime does. */
export const FENCE = valueTarget({
  name: 'fences',
  corpus: [FULL, newFence(0, 'abc', LAYOUT)].map((fence) => Buffer.from(encodeFence(fence))),
  codes: ['MILLRACE_STATE_CORRUPT'],
  parse: (input) => {
    const fence = decodeFence(input, '/millrace/test');
    for (const mark of fence.marks.values()) {
      if (Number.isNaN(compareOrigins(mark, { offset: 1, ordinal: 0, emission: 0 }))) throw new Error('a mark cannot be compared');
    }
    for (const number of [...fence.watermarks.values(), fence.watermark, fence.lastTime, fence.processingTime, fence.generator])
      if (Number.isNaN(number)) throw new Error('a time is NaN');
    for (const { paths, bytes } of [...fence.images, ...fence.deltas])
      if (!(bytes >= 0) || paths.some((path) => path.includes('/'))) throw new Error('an entry leads elsewhere');
    addVerdicts(fence, 1, [{ position: 1, failure }]);
    decodeFence(encodeFence({ ...fence, next: fence.next + 1, gaps: fence.gaps + 1 }));
  },
});

function stateOf(): TaskState {
  const state = new TaskState(0);
  const keys = ['a', 7, new Uint8Array([1]), ['t', 1, new Uint8Array([2])]].map((key) => stateKey(key));
  for (const key of keys) {
    state.set(state.table(tableId('value', 'sum', '$sum')), key, { count: 1, name: 'a' });
    state.set(state.table(tableId('map', 'join', 'left')), entryKey(key, 's1'), [1, 2]);
    state.set(state.table(tableId('timers', 'join', 'event')), entryKey(key, '500'), 500);
  }
  state.delete(state.table(tableId('value', 'sum', '$sum')), stateKey('a'));
  return state;
}

const images = [
  ...stateOf()
    .images(new Set([0, 1, 2, 3]), LAYOUT)
    .values(),
];

/** What a task has loaded it goes through, fires and writes again. */
export const STATE = valueTarget({
  name: 'deltas and images',
  corpus: [stateOf().delta(LAYOUT).bytes, ...images].map((bytes) => Buffer.from(bytes)),
  codes: ['MILLRACE_STATE_CORRUPT'],
  parse: (input) => {
    const state = new TaskState(0);
    state.load(input);
    for (const id of ['map:join/left', 'timers:join/event']) {
      const table = state.table(id);
      for (const entry of table.entries.keys()) {
        const owner = table.ownerOf(entry);
        fromStateKey(owner);
        if (table instanceof MapTable && !table.keysOf(owner).includes(entry)) throw new Error('an entry is not found again');
      }
      if (table instanceof TimerTable && Number.isNaN(table.firstDue(Infinity)?.time ?? 0)) throw new Error('a timer at NaN');
    }
    state.images(new Set([0, 1, 2, 3]), LAYOUT);
  },
});

const WIDE = encodeValue(Array.from({ length: 400 }, (_, i) => ({ key: `key-${i}`, count: i })));

/** As a chunk or node of the store is read. */
export const STORED = bytesTarget({
  name: 'deflated deltas and images',
  corpus: [WIDE, encodeValue(new Uint8Array(100_000))].map((bytes) => Buffer.from(toStored(bytes))),
  codes: ['MILLRACE_STATE_CORRUPT'],
  parse: (input) => {
    if (fromStored(input, 'delta').length > (input.length + 1) * 1032) throw new Error('more than deflating can make');
  },
});

const message = { key: Buffer.from('k'), value: Buffer.from('value'), headers: [['trace', Buffer.from('1')]] } as const;

function journalOf(): Uint8Array {
  const journal = new OutputJournal({ append: async () => undefined, partitionCount: async () => 1, close: async () => undefined });
  void journal.append('out', 0, [message, { key: null, value: null }]);
  journal.print('line');
  return journal.take([{ topic: 'sink', partition: 1, messages: [message] }]) ?? new Uint8Array();
}

export const JOURNAL = valueTarget({
  name: 'journals of outputs',
  corpus: [Buffer.from(journalOf())],
  codes: ['MILLRACE_STATE_CORRUPT'],
  parse: (input) => {
    const [appends, lines, transaction] = decodeJournal(input);
    for (const [topic, partition, messages] of [...appends, ...transaction]) {
      if (typeof topic !== 'string' || !(partition >= 0)) throw new Error('an append leads nowhere');
      for (const [key, value, headers] of messages)
        for (const field of [key, value, ...headers.map(([, held]) => held)]) if (field !== null) Buffer.from(field);
    }
    if (lines.some((line) => typeof line !== 'string')) throw new Error('a line is no text');
    encodeValue([appends, lines, transaction]);
  },
});
