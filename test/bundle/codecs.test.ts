import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { planPipeline } from '../../functions/graph/plan.ts';
import { bundleStages } from '../../infra/bundling.ts';
import { loadPipeline } from '../../local/load-pipeline.ts';
import { makeProject } from '../unit/infra/project.ts';

const PIPELINE = `
  import { json, kafka, pipeline } from 'millrace';
  export default pipeline('codecs', (env) => {
    for (const compression of ['snappy', 'lz4', 'gzip']) {
      env.fromSource(kafka.source({ topic: 'in', value: json() }), { uid: compression })
        .sinkTo(kafka.sink({ topic: compression, value: json(), compression }));
    }
  });
`;

const project = makeProject({ 'p.ts': PIPELINE });
afterAll(() => project.dispose());

test('a stage holds the codecs that its sinks compress with, and no other', async () => {
  const alias = {
    millrace: join(process.cwd(), 'functions/index.ts'),
    'millrace/runtime': join(process.cwd(), 'functions/runtime/index.ts'),
  };
  const pipelineFile = join(project.dir, 'p.ts');
  const plan = planPipeline((await loadPipeline(pipelineFile, { alias })).build());

  const stages = await bundleStages({ pipelineFile, plan, outDir: join(project.dir, 'out'), alias });

  const codecs = /compression\/(snappy|lz4|zstd)\.ts$|snappyjs\/index\.js$/;
  const held = stages.map(({ stage, inputs }) => {
    const found = inputs.filter(({ path, bytes }) => bytes > 0 && codecs.test(path)).map(({ path }) => path.replace(/.*\//, ''));
    return [stage, found.sort()];
  });
  expect(held).toEqual([
    ['snappy', ['index.js', 'snappy.ts']],
    ['lz4', ['lz4.ts']],
    ['gzip', []],
  ]);
  expect(stages.map(({ clients }) => clients.map((file) => file.replace(/.*\//, '')))).toEqual([
    ['kafkajs.js', 'snappyjs.js'],
    ['kafkajs.js'],
    ['kafkajs.js'],
  ]);
});
