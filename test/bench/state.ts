/**
 * What exactly-once state costs, in a real ZooKeeper that writes to disk before it answers. A handler gets frames and puts nothing out; beside
 * it, the same by hand. Not measured: Kafka, a network, an ensemble.
 */
import { encodeValue } from '../../functions/codec/value.ts';
import { openFrame } from '../../functions/codec/frame-reader.ts';
import { parseZooKeeperConfig } from '../../functions/coordination/zookeeper/config.ts';
import type { KafkaEvent, StageHandler } from '../../functions/runtime/lambda.ts';
import type { StateBackend } from '../../functions/state/state-backend.ts';
import { TaskStore } from '../../functions/state/task-store.ts';
import { openZooKeeperStateBackend } from '../../functions/state/zookeeper/state-backend.ts';
import { openZooKeeper } from '../services/instances.ts';
import { type Figure, median } from './figure.ts';
import { type Change, KeeperEvents, openKeeper, valueOf } from './state-stage.ts';

const RECORDS = 1000;
/** 10 MB of state. */
const LARGE = { keys: 80_000, valueBytes: 120 };
const ROUNDS = 120;
const COLD_RUNS = 5;
/** Beyond the number of deltas at which a task is compacted, which is part of the cost. */
const GROWTH_ROUNDS = 130;
const GROWTH_KEYS = [10_000, 1_000_000] as const;

export function stateFigures(): Promise<Figure[]> {
  return withZooKeeper(async (connect) => [...(await batchFigures(connect)), ...(await commitFigures(connect()))]);
}

export function growthFigures(): Promise<Figure[]> {
  return withZooKeeper((connect) => compareKeys(connect()));
}

async function withZooKeeper(measure: (connect: () => StateBackend) => Promise<Figure[]>): Promise<Figure[]> {
  const server = await openZooKeeper({ isSynced: true, compiler: 'full', heapMb: 1024 });
  const opened: StateBackend[] = [];
  const connect = (): StateBackend => {
    const backend = openZooKeeperStateBackend(parseZooKeeperConfig({ MILLRACE_ZOOKEEPER: server.address }));
    opened.push(backend);
    return backend;
  };
  try {
    return await measure(connect);
  } finally {
    await Promise.all(opened.map((backend) => backend.close()));
    await server.remove();
  }
}

/** A batch in a warm environment, and the first in a cold one. */
async function batchFigures(connect: () => StateBackend): Promise<Figure[]> {
  const [events, backend] = [new KeeperEvents(), connect()];
  const handler = openKeeper(backend, 'large');
  await fill(handler, events, LARGE.keys, LARGE.valueBytes);
  const byHand = await handFloor(connect());
  const [ours, floors]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    const text = await events.text(changesOf(round, LARGE.keys, LARGE.valueBytes));
    floors.push(await msOf(() => byHand(text)));
    ours.push(await msOf(() => handler(JSON.parse(text))));
  }
  const cold: Record<'all' | 'one', number[]> = { all: [], one: [] };
  for (let run = 0; run < COLD_RUNS; run++) {
    const changes = changesOf(ROUNDS + run, LARGE.keys, LARGE.valueBytes);
    for (const [name, list] of [
      ['all', changes],
      ['one', changes.slice(0, 1)],
    ] as const) {
      const text = await events.text(list);
      const other = connect();
      cold[name].push(await msOf(() => openKeeper(other, 'large')(JSON.parse(text))));
    }
  }
  const mean = ours.reduce((sum, ms) => sum + ms, 0) / ours.length;
  const p99 = percentile(ours, 0.99);
  return [
    beside('state batch of 1,000 records p50', 'ms', median(ours), median(floors), 1.5),
    beside('state batch of 1,000 records p99', 'ms', p99, percentile(floors, 0.99), 1.5),
    beside('state commits', 'commits/s', 1000 / mean, 1000 / (floors.reduce((sum, ms) => sum + ms, 0) / floors.length), 1.5, true),
    alone('state cold environment, 10 MB, first batch', 'ms', median(cold.all), 300),
    alone('state cold environment, 10 MB, first batch of one key', 'ms', median(cold.one), 300),
  ];
}

/** A1 and A7 alone, beside a read and a multi of the same bytes. */
async function commitFigures(backend: StateBackend): Promise<Figure[]> {
  const store = new TaskStore(backend, '/bench/commit/task', {
    fragments: { maxParallelism: 128, count: 16 },
    chunkBytes: 512 * 1024,
    nonce: () => Math.random().toString(36).slice(2),
    ...{ maxDeltas: Infinity, minCompactionBytes: Infinity },
  });
  await store.createFence(0);
  const bytes = encodeValue(Array.from({ length: RECORDS }, (_, key) => valueOf(key, 0, LARGE.valueBytes)));
  const path = '/bench/floor';
  await backend.multi([{ op: 'create', path, data: new Uint8Array(200) }]);
  const [ours, floors]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    floors.push(
      await msOf(async () => {
        const { data = new Uint8Array(), version = 0 } = (await backend.read(path)) ?? {};
        await backend.multi([
          { op: 'set', path, data, version },
          { op: 'create', path: `${path}/d-${round}`, data: bytes },
        ]);
      }),
    );
    ours.push(
      await msOf(async () => {
        const node = await store.readFence();
        if (!node) throw new Error('there is no fence');
        await store.commit(node, { ...node.fence, next: round, imageSeq: round, seq: round + 1, deltas: [] }, { bytes, fragments: [0] });
      }),
    );
  }
  return [beside('state commit phase (A1 and A7) p50', 'ms', median(ours), median(floors), 1.3)];
}

/** The cost of a record where a task has many keys, beside that where it has few; compactions included. */
async function compareKeys(backend: StateBackend): Promise<Figure[]> {
  const costs: number[] = [];
  for (const keys of GROWTH_KEYS) {
    const events = new KeeperEvents();
    const handler = openKeeper(backend, `growth-${keys}`);
    await fill(handler, events, keys, 8);
    let ms = 0;
    for (let round = 0; round < GROWTH_ROUNDS; round++) {
      const text = await events.text(changesOf(round, keys, 8));
      ms += await msOf(() => handler(JSON.parse(text)));
    }
    costs.push((ms * 1000) / (GROWTH_ROUNDS * RECORDS));
  }
  const [few = NaN, many = NaN] = costs;
  return [beside('state cost a record at 1,000,000 keys, over that at 10,000', 'µs', many, few, 1.3)];
}

async function fill(handler: StageHandler, events: KeeperEvents, keys: number, valueBytes: number): Promise<void> {
  const size = 10 * RECORDS;
  for (let from = 0; from < keys; from += size) {
    const changes = Array.from({ length: Math.min(size, keys - from) }, (_, i) => ({
      key: from + i,
      value: valueOf(from + i, -1, valueBytes),
    }));
    await handler(JSON.parse(await events.text(changes)));
  }
}

/** As many distinct keys as records, spread over all. */
function changesOf(round: number, keys: number, valueBytes: number): Change[] {
  const step = Math.floor(keys / RECORDS);
  return Array.from({ length: RECORDS }, (_, i) => {
    const key = i * step + (round % step);
    return { key, value: valueOf(key, round, valueBytes) };
  });
}

/** The same by hand: unpack the frames, update a Map, pack what has changed, read the fence, and write both. */
async function handFloor(backend: StateBackend): Promise<(text: string) => Promise<void>> {
  const path = '/bench/by-hand';
  await backend.multi([{ op: 'create', path, data: new Uint8Array(200) }]);
  const state = new Map<unknown, string>();
  let seq = 0;
  return async (text) => {
    const changed: [unknown[], string[]] = [[], []];
    for (const { value } of Object.values((JSON.parse(text) as KafkaEvent).records).flat()) {
      const reader = openFrame(Buffer.from(value ?? '', 'base64'));
      while (reader.next()) {
        const change = reader.value() as Change;
        state.set(change.key, change.value);
        changed[0].push(change.key);
        changed[1].push(change.value);
      }
    }
    const delta = encodeValue(changed);
    const { data = new Uint8Array(), version = 0 } = (await backend.read(path)) ?? {};
    await backend.multi([
      { op: 'set', path, data, version },
      { op: 'create', path: `${path}/d-${++seq}`, data: delta },
    ]);
  };
}

async function msOf(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}

function beside(name: string, unit: string, value: number, floor: number, goal: number, isMoreBetter = false): Figure {
  const ratio = isMoreBetter ? floor / value : value / floor;
  return { name, value, unit, floor, ratio, goal, ok: ratio <= goal };
}

function alone(name: string, unit: string, value: number, goal: number): Figure {
  return { name, value, unit, floor: null, ratio: null, goal, ok: value <= goal };
}
