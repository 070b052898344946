/** `millrace dev --kafka`: the same bundles on a real Kafka. However a run ends, the next one goes on. */
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { type Ended, Projects } from '../cli/command.ts';
import { createTestTopic, freshName } from '../helpers/kafka.ts';
import { describeWithServices } from '../helpers/services.ts';
import { makeChroot } from '../helpers/zookeeper.ts';
import { CountingRuns, countingPipeline, KEYS, numbersSource, until } from './counting.ts';

const projects = new Projects();
afterAll(() => projects.dispose());

const RECORDS = 30_000;

describeWithServices(['kafka', 'zookeeper'], 'millrace dev --kafka', ({ kafka, zookeeper }) => {
  const runs = new CountingRuns(kafka.address);
  const { config } = runs;

  describe('a bounded source', () => {
    test('killed while it is at work, and started again, ends with exact results', async () => {
      const [out, namespace] = [freshName('out'), freshName('bounded')];
      const dir = projects.create({ 'p.ts': countingPipeline(numbersSource(RECORDS), out) });
      const flags = ['--create-topics', '--data', join(dir, 'data')];
      const killed = runs.start(dir, namespace, ...flags);
      await killed.shows(/Invoke API/);
      await until(async () => (await runs.written(out)) > RECORDS / 10);
      killed.child.kill('SIGKILL');
      await killed.ended;

      const last = await runs.start(dir, namespace, ...flags, '--json').ended;

      expect(last).toMatchObject({ code: 0 });
      expect(JSON.parse(last.stdout)).toMatchObject({ ok: true, finished: true });
      expect(last.stderr).toContain(`the last of each of ${KEYS} keys`);
      await expect(runs.total(out)).resolves.toBe(RECORDS);
    }, 120_000);

    test('is fed by one of two runs that begin at once; both end with the right result', async () => {
      const [out, namespace] = [freshName('out'), freshName('pair')];
      const flags = ['--create-topics', '--zookeeper', await makeChroot(zookeeper.address), '--json'];
      const dir = projects.create({ 'p.ts': countingPipeline(numbersSource(RECORDS), out) });
      await createTestTopic(config, out, 2);
      const both = [0, 1].map(() => runs.start(dir, namespace, ...flags));

      const ends = await Promise.all(both.map(({ ended }) => ended));

      expect(ends.map(({ code, stdout }) => [code, (JSON.parse(stdout) as { finished: boolean }).finished])).toEqual([
        [0, true],
        [0, true],
      ]);
      await expect(runs.written(`${namespace}.counting.numbers`)).resolves.toBe(RECORDS);
      await expect(runs.total(out)).resolves.toBe(RECORDS);
      expect(ends.map(({ stderr }) => stderr).join('')).toMatch(/another run of this pipeline (feeds source numbers|is at work)/);
    }, 120_000);

    test('is fed on by the other run when the one that feeds is killed', async () => {
      const [out, namespace] = [freshName('out'), freshName('pair')];
      const flags = ['--create-topics', '--zookeeper', await makeChroot(zookeeper.address), '--json'];
      const dir = projects.create({ 'p.ts': countingPipeline(numbersSource(10 * RECORDS), out) });
      await createTestTopic(config, out, 2);
      const first = runs.start(dir, namespace, ...flags);
      await until(async () => (await runs.written(out)) > RECORDS);
      const second = runs.start(dir, namespace, ...flags);
      await second.shows(/another run of this pipeline feeds source numbers: this one waits for its turn/);
      first.child.kill('SIGKILL');

      const last = await second.ended;

      expect(last).toMatchObject({ code: 0, stderr: expect.stringContaining('source numbers has been fed: 300,000 records') });
      await expect(runs.written(`${namespace}.counting.numbers`)).resolves.toBe(10 * RECORDS);
      await expect(runs.total(out)).resolves.toBe(10 * RECORDS);
    }, 180_000);
  });

  describe('a topic', () => {
    test('is read until an interrupt, which ends the run well; the next one goes on, and one without that state is refused', async () => {
      const [input, out, namespace] = [freshName('in'), freshName('out'), freshName('topic')];
      await createTestTopic(config, input, 3);
      await createTestTopic(config, out, 2);
      const dir = projects.create({ 'p.ts': countingPipeline(`kafka.source({ topic: '${input}', value: json() })`, out) });
      const ends: Ended[] = [];
      for (const expected of [1000, 2000]) {
        const { child, ended } = runs.start(dir, namespace, '--data', join(dir, 'data'), '--json');
        await runs.produce(input, 1000);
        await until(async () => (await runs.written(out)) >= expected);
        child.kill('SIGINT');
        ends.push(await ended);
      }
      const stateless = await runs.start(dir, namespace).ended;

      expect(ends.map(({ code }) => code)).toEqual([0, 0]);
      expect(ends.map(({ stdout }) => (JSON.parse(stdout) as { finished: boolean }).finished)).toEqual([false, false]);
      await expect(runs.total(out)).resolves.toBe(2000);
      expect(stateless).toMatchObject({ code: 1, stderr: expect.stringContaining('error MILLRACE_DATA_INVALID: Kafka holds offsets') });
    }, 120_000);

    test('is shared by two runs with their state in ZooKeeper; when one is killed, the other has it all, counted once', async () => {
      const [input, out, namespace] = [freshName('in'), freshName('out'), freshName('shared')];
      await createTestTopic(config, input, 4);
      await createTestTopic(config, out, 2);
      const dir = projects.create({ 'p.ts': countingPipeline(`kafka.source({ topic: '${input}', value: json() })`, out) });
      const both = [0, 1].map(() => runs.start(dir, namespace, '--zookeeper', zookeeper.address, '--json'));
      await Promise.all(both.map(({ shows }) => shows(/Invoke API/)));
      let sent = 0;
      for (let round = 0; round < 10; round++, sent += 500) await runs.produce(input, 500);
      await until(async () => (await runs.total(out)) > 0);
      both[0]?.child.kill('SIGKILL');
      await both[0]?.ended;
      await runs.produce(input, 500);

      await until(async () => (await runs.total(out)) >= sent + 500);
      both[1]?.child.kill('SIGINT');

      await expect(both[1]?.ended).resolves.toMatchObject({
        code: 0,
        stderr: expect.stringMatching(
          /another run of this pipeline is at work .* Both commit to the same tasks[^]*this run has all 4 partitions of/,
        ),
      });
      await expect(runs.total(out)).resolves.toBe(sent + 500);
    }, 120_000);
  });
});
