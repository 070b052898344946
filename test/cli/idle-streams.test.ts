import { afterAll, expect, jest, test } from '@jest/globals';
import { Projects, spawnMillrace } from './command.ts';

jest.setTimeout(60_000);

const projects = new Projects();
afterAll(() => projects.dispose());

/** Records of one key, in order, in a topic with four partitions and no end: three of them stay empty. */
function pipelineOf(windows: string, strategy: string): string {
  return projects.create({
    'p.ts': `import { json, kafka, pipeline, TumblingEventTimeWindows, TumblingProcessingTimeWindows, WatermarkStrategy } from 'millrace';
export default pipeline('quiet', { parallelism: 1 }, (env) => {
  env.fromCollection([{ k: 'a', at: 100 }, { k: 'a', at: 200 }, { k: 'a', at: 1500 }], { uid: 'given' })
    .sinkTo(kafka.sink({ topic: 'readings', value: json(), key: ({ k }) => k }));
  env.fromSource(kafka.source({ topic: 'readings', value: json<{ k: string; at: number }>() }), { uid: 'readings' })
    .assignTimestampsAndWatermarks(${strategy})
    .keyBy(({ k }) => k)
    .window(${windows}.of('1 second'))
    .count()
    .uid('windows')
    .print('window');
});
`,
  });
}

const BY_TIME = 'WatermarkStrategy.forMonotonousTimestamps().withTimestampAssigner(({ at }: { at: number }) => at)';

test('an event-time window closes within 2 s of the timeout, though most partitions have no records', async () => {
  const dir = pipelineOf('TumblingEventTimeWindows', `${BY_TIME}.withIdleness('1 second')`);
  const { child, ended, shows } = spawnMillrace(dir, ['dev', 'p.ts', '--json']);
  await shows(/has been fed/);
  const fed = performance.now();
  await shows(/window> .*2/);
  const seconds = (performance.now() - fed) / 1000;
  child.kill('SIGINT');
  const { code, stdout } = await ended;

  expect(code).toBe(0);
  expect(seconds).toBeLessThan(1 + 2);
  const { hops } = JSON.parse(stdout) as { hops: { stage: string; watermark: number | string; lag: number }[] };
  const watermarks = Object.fromEntries(hops.map(({ stage, watermark }) => [stage, watermark]));
  expect(watermarks).toEqual({ given: expect.anything(), readings: '-Infinity', windows: 1400 });
});

test('a processing-time window closes without a further record', async () => {
  const dir = pipelineOf('TumblingProcessingTimeWindows', BY_TIME);
  const { child, ended, shows } = spawnMillrace(dir, ['dev', 'p.ts']);
  await shows(/has been fed/);
  const fed = performance.now();
  await shows(/window> .*[123]/);
  const seconds = (performance.now() - fed) / 1000;
  child.kill('SIGINT');

  expect(await ended).toMatchObject({ code: 0 });
  expect(seconds).toBeLessThan(1 + 2);
});
