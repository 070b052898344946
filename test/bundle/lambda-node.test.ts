import { execFile } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { planPipeline } from '../../functions/graph/plan.ts';
import type { PipelinePlan } from '../../functions/graph/stage-plan.ts';
import type { KafkaEvent } from '../../functions/runtime/lambda.ts';
import { MemoryStateBackend } from '../../functions/state/memory/memory-state-backend.ts';
import { bundleStages, type StageBundle } from '../../infra/bundling.ts';
import { openEmbeddedServer } from '../../local/embedded-server.ts';
import { loadPipeline } from '../../local/load-pipeline.ts';
import { EmbeddedLog } from '../../local/log/embedded-log.ts';
import { node24Path } from '../helpers/node24.ts';

/** A source stage, one hop, and a stage with state behind it. */
const LETTERS = `
  import { json, kafka, pipeline } from 'millrace';
  export default pipeline('letters', { parallelism: 1 }, (env) => {
    env
      .fromSource(kafka.source({ topic: 'letters', value: json<string>() }), { uid: 'letters' })
      .keyBy((letter) => letter)
      .reduce((first, second) => first + second)
      .uid('runs')
      .sinkTo(kafka.sink({ topic: 'runs', value: json() }));
  });
`;

/** What Lambda's runtime does with a bundle: load it, call the handler with the event, print the answer. */
const RUN = `
  const { handler } = require(process.argv[2]);
  const context = { awsRequestId: '1', functionName: 'letters', getRemainingTimeInMillis: () => 10_000 };
  handler(JSON.parse(process.argv[3]), context).then((answer) => {
    console.log(JSON.stringify({ node: process.versions.node.split('.')[0], answer }));
  });
`;

const dir = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-node-')));
const runFile = join(dir, 'run.cjs');
let plan: PipelinePlan;
let stages: readonly StageBundle[] = [];

beforeAll(async () => {
  const pipelineFile = join(dir, 'letters.ts');
  writeFileSync(pipelineFile, LETTERS);
  writeFileSync(runFile, RUN);
  const alias = {
    millrace: join(process.cwd(), 'functions/index.ts'),
    'millrace/runtime': join(process.cwd(), 'functions/runtime/index.ts'),
  };
  plan = planPipeline((await loadPipeline(pipelineFile, { alias })).build());
  stages = await bundleStages({ pipelineFile, plan, outDir: join(dir, 'out'), alias });
});

afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

const node24 = node24Path();
const nodes: [name: string, path: string][] = [['20 or later, here', process.execPath]];
if (node24 !== undefined) nodes.push(['24, as on Lambda', node24]);
else process.stdout.write('skipped on Node 24: .config/node24 is not installed (npm test installs it)\n');

describe.each(nodes)('on Node %s', (version, node) => {
  test('the bundles apply events from the source to the sink, once', async () => {
    const log = new EmbeddedLog();
    const channel = plan.channels[0]?.topic ?? '';
    for (const topic of ['letters', 'runs', channel, plan.deadLetterTopic]) log.createTopic(topic, 1);
    const server = await openEmbeddedServer(log, new MemoryStateBackend());
    await log.append(
      'letters',
      0,
      ['"a"', '"b"', '"a"'].map((text) => ({ key: null, value: Buffer.from(text) })),
    );

    try {
      const read = await handle(node, server.address, stages[0], eventOf(log, 'letters'));
      await handle(node, server.address, stages[1], eventOf(log, channel));
      await handle(node, server.address, stages[1], eventOf(log, channel)); // a new environment gets the batch again

      expect(read).toEqual({
        node: version.startsWith('24') ? '24' : process.versions.node.split('.')[0],
        answer: { batchItemFailures: [] },
      });
      expect(valuesOf(log, 'runs')).toEqual(['"a"', '"b"', '"aa"']);
      expect(valuesOf(log, plan.deadLetterTopic)).toEqual([]);
    } finally {
      await server.close();
    }
  });
});

function handle(node: string, address: string, bundle: StageBundle | undefined, event: KafkaEvent): Promise<unknown> {
  const env = { MILLRACE_LOG: 'embedded', MILLRACE_STATE: 'embedded', MILLRACE_EMBEDDED: address };
  return new Promise((resolve, reject) => {
    execFile(node, [runFile, bundle?.file ?? '', JSON.stringify(event)], { env }, (error, stdout, stderr) => {
      if (error) reject(new Error(stderr, { cause: error }));
      else resolve(JSON.parse(stdout));
    });
  });
}

function eventOf(log: EmbeddedLog, topic: string): KafkaEvent {
  const records = log.read(topic, 0, 0, { maxRecords: 100, maxBytes: 1_000_000 }).map(({ offset, timestamp, value }) => ({
    topic,
    partition: 0,
    offset,
    timestamp,
    timestampType: 'LOG_APPEND_TIME',
    value: value && Buffer.from(value).toString('base64'),
  }));
  return { eventSource: 'SelfManagedKafka', records: { [`${topic}-0`]: records } };
}

function valuesOf(log: EmbeddedLog, topic: string): string[] {
  return log.read(topic, 0, 0, { maxRecords: 100, maxBytes: 1_000_000 }).map(({ value }) => Buffer.from(value ?? []).toString());
}
