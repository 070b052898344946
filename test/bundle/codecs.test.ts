import { readFileSync } from 'node:fs';
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
const alias = {
  millrace: join(process.cwd(), 'functions/index.ts'),
  'millrace/runtime': join(process.cwd(), 'functions/runtime/index.ts'),
};
afterAll(() => project.dispose());

test('AWS’s signer is in a file of its own, in bundles of a run that logs on by IAM', async () => {
  const pipelineFile = join(project.dir, 'p.ts');
  const plan = planPipeline((await loadPipeline(pipelineFile, { alias })).build());
  const bundle = async (kafkaIam: boolean) => {
    const [stage] = await bundleStages({ pipelineFile, plan, outDir: join(project.dir, 'iam'), alias, kafkaIam });
    return { files: stage?.clients.map((file) => file.replace(/.*\//, '')), code: readFileSync(stage?.file ?? '', 'utf8') };
  };

  const [without, holding] = [await bundle(false), await bundle(true)];

  expect([without.files, holding.files]).toEqual([
    ['kafkajs.js', 'snappyjs.js'],
    ['kafkajs.js', 'snappyjs.js', 'aws-msk-iam-sasl-signer-js.js'],
  ]);
  expect(holding.code.length - without.code.length).toBeLessThan(1000);
});

test('a stage holds the codecs that its sinks compress with, and no other', async () => {
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
