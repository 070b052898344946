import { once } from 'node:events';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { buildSync } from 'esbuild';
import type { FeedSource } from '../../../functions/connectors/source.ts';
import type { PipelinePlan, StagePlan } from '../../../functions/graph/stage-plan.ts';
import type { MillraceError } from '../../../functions/shared/errors.ts';
import { MemoryCoordination } from '../../../functions/coordination/memory/memory-coordination.ts';
import { MemoryTree } from '../../../functions/coordination/memory/memory-tree.ts';
import { runHarness, startHarness, type Harness } from '../../../local/harness.ts';
import type { HarnessEvent, HarnessOptions } from '../../../local/harness-options.ts';
import { describeReport } from '../../../local/report.ts';
import { TemporaryFolder } from './bundle-file.ts';
import { HANDLER } from './harness-handler.ts';

const operator = (kind: string) => ({ node: 0, kind, uid: null, name: kind, inputs: [], keyed: false, states: [] });

const FIRST: StagePlan = {
  id: 'first',
  parallelism: 2,
  input: { kind: 'source', node: 0, uid: 'numbers', topics: ['feed'], pattern: null, start: 'earliest', bounded: true },
  operators: [operator('map')],
  outputs: [],
  fenced: false,
  journal: false,
  transactional: false,
  produces: {},
  name: 'default.p.first',
  group: 'default.p.first',
};
const SECOND: StagePlan = {
  id: 'second',
  parallelism: 2,
  input: { kind: 'channel', channel: 'second', topic: 'channel', hop: 'kafka', upstreams: [{ stage: 'first', parallelism: 2 }] },
  operators: [operator('sink')],
  outputs: [],
  fenced: true,
  journal: false,
  transactional: false,
  produces: {},
  name: 'default.p.second',
  group: 'default.p.second',
};
const PLAN: PipelinePlan = {
  format: 1,
  pipeline: 'p',
  namespace: 'default',
  generation: 3,
  maxParallelism: 128,
  stateFragments: 16,
  params: {},
  settings: {
    maxAttempts: 3,
    onError: 'dead-letter',
    watermarkIntervalMs: 200,
    frameBytes: 262_144,
    batchSize: 100,
    batchWindowMs: 5,
    partialBatchResponse: false,
    timeoutMs: 10_000,
    memoryMb: 256,
    maxRetries: -1,
  },
  stages: [FIRST, SECOND],
  channels: [{ id: 'second', topic: 'channel', hop: 'kafka', partitions: 2 }],
  feeds: [{ uid: 'numbers', node: 0, topic: 'feed', partitions: 2 }],
  sinkTopics: ['out'],
  deadLetterTopic: 'dlq',
};

let folder: TemporaryFolder;
let bundles: Map<string, string>;
let events: HarnessEvent[];
let printed: string[];
const started: Harness[] = [];

beforeEach(() => {
  folder = new TemporaryFolder();
  events = [];
  printed = [];
  bundles = new Map(['first', 'second'].map((stage) => [stage, folder.bundle(bundle(stage))]));
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((harness) => harness.close()));
  folder.remove();
});

async function start(more: Partial<HarnessOptions> = {}): Promise<Harness> {
  const harness = await startHarness(options(more));
  started.push(harness);
  return harness;
}

/** Resolves when there are `count` records in the sink topic. */
async function untilOutputs({ embedded: log }: Harness, count: number): Promise<void> {
  const partitions = log.partitions('out');
  const there = (): boolean => partitions.reduce((sum, { endOffset }) => sum + endOffset, 0) >= count;
  await new Promise<void>((resolve) => {
    const check = (): void => {
      if (there()) resolve();
    };
    for (const partition of partitions) partition.watch(check);
    check();
  });
}

function bundle(stage: string): string {
  const stdin = { contents: HANDLER, resolveDir: resolve(__dirname, '../../..') };
  const { outputFiles } = buildSync({
    stdin,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    write: false,
    define: { STAGE: JSON.stringify(stage) },
  });
  return outputFiles[0]?.text ?? '';
}

/** A source of the records '0' … ; without an end if `isEndless`. */
function numbers(count: number, isEndless = false): FeedSource<unknown> {
  return {
    kind: 'feed',
    name: 'numbers',
    bounded: !isEndless,
    value: { name: 'none', encode: () => new Uint8Array(), decode: () => undefined },
    async *read() {
      yield Array.from({ length: count }, (_, i) => Buffer.from(String(i)));
      if (isEndless) await new Promise(() => undefined);
    },
  };
}

function options(more: Partial<HarnessOptions> = {}): HarnessOptions {
  return {
    plan: PLAN,
    feeds: new Map([['numbers', numbers(1000)]]),
    bundles,
    topicPartitions: { out: 2 },
    backOff: { firstMs: 1, maxMs: 5 },
    onPrint: ({ stage, line }) => printed.push(`${stage}: ${line}`),
    onEvent: (event) => events.push(event),
    async fenceProgress(state, stage, _topic, partition) {
      const node = stage.id === 'second' ? await state.read(`/end/${partition}`) : undefined;
      return node && { next: Number(Buffer.from(node.data).toString()), watermark: Infinity, upstreams: new Map() };
    },
    ...more,
  };
}

function outputs({ embedded: log }: Harness): number[] {
  const all = [0, 1].flatMap((partition) => log.read('out', partition, 0, { maxRecords: 1e6, maxBytes: 1e9 }));
  return all.map(({ value }) => Number(Buffer.from(value ?? []).toString())).sort((a, b) => a - b);
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

async function* failing(): AsyncGenerator<readonly Uint8Array[]> {
  yield await Promise.reject(new Error('unreadable'));
}

/** Runs to the end and hands over what came out. */
async function run(more: Partial<HarnessOptions> = {}): Promise<number[]> {
  const harness = await start(more);
  try {
    expect(await harness.ended).toBe(true);
    return outputs(harness);
  } finally {
    await harness.close();
  }
}

describe('bounded input', () => {
  test("goes through all stages, each partition is ended once with the plan's generation, and the run is over", async () => {
    expect(await run()).toEqual(upTo(1000));
    expect(printed.sort()).toEqual(['first: end 3 0', 'first: end 3 1']);
    expect(events.map(({ kind }) => kind)).toEqual(['started', 'feedDone']);
  });

  test('that is empty ends too', async () => {
    expect(await run({ feeds: new Map([['numbers', numbers(0)]]) })).toEqual([]);
    expect(printed).toHaveLength(2);
  });

  test('failing batches and ends come again until they succeed, and are reported with their code', async () => {
    expect(await run({ env: { FAILURES: '3' }, feeds: new Map([['numbers', numbers(10)]]) })).toEqual(upTo(10));

    const failures = events.filter((event) => event.kind === 'failure');
    expect(failures.length).toBeGreaterThanOrEqual(6);
    expect(failures[0]).toMatchObject({ reason: 'Error: not yet', code: 'MILLRACE_CONFLICT' });
  });

  test('a task that somebody else commits to is told of once', async () => {
    await run({ env: { CONFLICTS: '2' } });

    const conflicts = events.filter((event) => event.kind === 'conflict').map(({ stage, task }) => `${stage} ${task}`);
    expect(conflicts.sort()).toEqual(['first feed-0', 'first feed-1', 'second channel-0', 'second channel-1']);
  });

  test('where runs share a store, the one that has no turn feeds nothing until it has', async () => {
    const tree = new MemoryTree();
    const [other, own] = [new MemoryCoordination(tree), new MemoryCoordination(tree)];
    await other.create('/millrace/default/p/feeders/numbers', Buffer.from('other'), { ephemeral: true });
    const harness = await start({
      coordination: () => own,
      onEvent: (event) => {
        events.push(event);
        if (event.kind === 'feedWaits') void other.close();
      },
    });

    expect([await harness.ended, outputs(harness)]).toEqual([true, upTo(1000)]);
    expect(events.map(({ kind }) => kind)).toEqual(['started', 'feedWaits', 'feedDone']);
  });

  test('a feeder that loses its turn goes on with the next, behind what is written', async () => {
    const session = new MemoryCoordination(new MemoryTree());
    const losses = [() => session.expire()];
    const read = async function* (): AsyncGenerator<readonly Uint8Array[]> {
      yield upTo(400).map((i) => Buffer.from(String(i)));
      await losses.pop()?.();
      yield upTo(1000)
        .map((i) => Buffer.from(String(i)))
        .slice(400);
    };

    expect(await run({ coordination: () => session, feeds: new Map([['numbers', { ...numbers(0), read }]]) })).toEqual(upTo(1000));
    expect(losses).toEqual([]);
  });

  test('with several partitions in one event the outcome is the same', async () => {
    expect(await run({ mixPartitions: true })).toEqual(upTo(1000));
  });

  test('ends without fences when every mapping has caught up', async () => {
    const { fenceProgress: _, ...without } = options();
    const report = await runHarness(without);

    expect(report).toMatchObject({ ok: true, finished: true, records: 1000 });
  });

  test('is reported: records, bytes, rates and latencies of each hop, and of the whole', async () => {
    const report = await runHarness(options());

    expect(report).toMatchObject({ pipeline: 'p', ok: true, finished: true, records: 1000, deadLetters: 0 });
    expect(report.hops.map(({ stage, kind, recordsIn, recordsOut, lag }) => [stage, kind, recordsIn, recordsOut, lag])).toEqual([
      ['first', 'source', 1000, 1000, 0],
      ['second', 'kafka', 1000, 1000, 0],
    ]);
    for (const hop of report.hops) {
      expect(hop.bytes).toBeGreaterThan(10_000);
      expect(Math.abs(hop.bytes / hop.rate - hop.seconds)).toBeLessThan(1e-9);
      expect(hop.latencyMs?.p99).toBeGreaterThanOrEqual(hop.latencyMs?.p50 ?? Infinity);
    }
    expect(Math.abs(report.records / report.seconds - report.recordsPerSecond)).toBeLessThan(1e-6);
    expect(report.latencyMs).toBeDefined();
    expect(describeReport(report)).toMatch(/^stage +records in[\s\S]*first +1,000 +1,000[\s\S]*p: all input is through; 1,000 records in/);
  });
});

describe('stopping', () => {
  test('a run without an end stops at the signal, when what is in flight is through', async () => {
    const stop = new AbortController();
    const harness = await start({ feeds: new Map([['numbers', numbers(300, true)]]), signal: stop.signal });
    await untilOutputs(harness, 300);
    stop.abort();

    expect(await harness.ended).toBe(false);
    await harness.close();
    expect(harness.progress()).toMatchObject({ ok: true, finished: false, records: 300 });
    expect(events.at(-1)).toEqual({ kind: 'draining' });
  });

  test("a source's error breaks the run", async () => {
    const source = { ...numbers(0), read: () => failing() };

    await expect(runHarness(options({ feeds: new Map([['numbers', source]]) }))).rejects.toThrow('unreadable');
  });
});

describe('with a data folder', () => {
  const dataDir = (): string => `${folder.path}/data`;

  test('a run that was stopped is taken up where it was', async () => {
    const stop = new AbortController();
    const first = await startHarness(
      options({ dataDir: dataDir(), feeds: new Map([['numbers', numbers(301, true)]]), signal: stop.signal }),
    );
    await untilOutputs(first, 100);
    stop.abort();
    await first.ended;
    await first.close();

    expect(await run({ dataDir: dataDir() })).toEqual(upTo(1000));
  });

  test('two runs cannot have it at once', async () => {
    const first = await start({ dataDir: dataDir(), feeds: new Map([['numbers', numbers(1, true)]]) });
    const second = startHarness(options({ dataDir: dataDir() }));
    const outcome = await second.then(
      () => 'started',
      (error: unknown) => (error as MillraceError).code,
    );
    await first.close();

    expect(outcome).toBe('MILLRACE_DATA_INVALID');
  });
});

test("answers Lambda's Invoke API for each stage by name", async () => {
  const harness = await start({ feeds: new Map([['numbers', numbers(1, true)]]) });
  const client = new LambdaClient({
    endpoint: harness.invokeUrl,
    region: 'us-east-1',
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
  });
  const Payload = Buffer.from('{"eventSource":"SelfManagedKafka","records":{}}');
  const answer = await client.send(new InvokeCommand({ FunctionName: 'default-p-second', Payload }));
  client.destroy();
  await harness.close();

  expect(Buffer.from(answer.Payload ?? []).toString()).toBe('{"batchItemFailures":[]}');
});

test('closing closes everything, even if one part of it fails', async () => {
  const harness = await startHarness(options({ dataDir: `${folder.path}/data` }));
  await harness.ended;
  const { log } = harness;
  const close = log.close.bind(log);
  log.close = () => close().then(() => Promise.reject(new Error('the disk is gone')));
  await expect(harness.close()).rejects.toThrow('the disk is gone');

  expect(await run({ dataDir: `${folder.path}/data` })).toEqual(upTo(1000));
});

test('a port in use is an error before anything starts', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };

  await expect(startHarness(options({ invokePort: port }))).rejects.toMatchObject({ code: 'MILLRACE_PORT_IN_USE' });
  server.close();
  expect(printed).toEqual([]);
});

test('a stage without a bundle is an error', async () => {
  await expect(startHarness(options({ bundles: new Map() }))).rejects.toMatchObject({ code: 'MILLRACE_BUNDLE_FAILED' });
});

test('ticks go to the channels of stages that want them, until their input has ended', async () => {
  const ticked: string[] = [];
  const harness = await start({
    feeds: new Map([['numbers', numbers(0, true)]]),
    tickMs: 5,
    makeTick: (stage, partition) => {
      ticked.push(`${stage.id}-${partition}`);
      return partition === 0 ? Buffer.from('77') : undefined;
    },
  });
  await untilOutputs(harness, 2);
  await harness.close();

  expect(new Set(ticked)).toEqual(new Set(['second-0', 'second-1']));
  expect(harness.progress().hops[0]?.recordsIn).toBe(0);
});
