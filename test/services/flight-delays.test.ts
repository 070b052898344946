/** `npm start` on a real Kafka and ZooKeeper, killed with all that belongs to it halfway, and started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parseKafkaConfig } from '../../functions/channels/kafka/config.ts';
import flightDelays from '../../functions/pipelines/flight-delays.ts';
import { readKafkaTopic, topicRanges } from '../../local/kafka/topic-reader.ts';
import { runPipeline } from '../../local/testing.ts';
import { describeWithOwnServers } from '../helpers/services.ts';
import { until } from './counting.ts';
import { openKafka, openZooKeeper } from './instances.ts';
import type { Server } from './server.ts';

const REPEAT = '3';
const TOPICS = ['flight-delay-origins', 'flight-delay-bands'];
/** Messages of the bands with which a run of so many flights is about half through. */
const HALFWAY = 30_000;

type Results = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

// Servers of its own: the topics have fixed names.
describeWithOwnServers('npm start -- --kafka --zookeeper', () => {
  let kafka: Server;
  let zookeeper: Server;
  beforeAll(async () => {
    [kafka, zookeeper] = await Promise.all([openKafka(), openZooKeeper()]);
  }, 60_000);
  afterAll(() => Promise.all([kafka.remove(), zookeeper.remove()]));

  function start(): ChildProcess {
    const args = ['--kafka', kafka.address, '--zookeeper', zookeeper.address, '--create-topics', '--param', `repeat=${REPEAT}`, '--json'];
    // A group of its own: npm's shell, the bootstrap and the harness die together.
    return spawn('npm', ['start', '--silent', '--', ...args], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  }

  async function textOf({ stdout }: ChildProcess): Promise<string> {
    let text = '';
    for await (const chunk of stdout ?? []) text += String(chunk);
    return text;
  }

  /** What a compacted topic would keep: the last message of each key. */
  async function results(): Promise<Results> {
    const all: Record<string, Record<string, unknown>> = {};
    for (const topic of TOPICS) {
      const last: Record<string, unknown> = (all[topic] = {});
      await readKafkaTopic(parseKafkaConfig({ MILLRACE_KAFKA: kafka.address }), topic, ({ key, value }) => {
        last[Buffer.from(key ?? []).toString()] = JSON.parse(Buffer.from(value ?? []).toString());
      });
    }
    return all;
  }

  async function written(topic: string): Promise<number> {
    const ranges = await topicRanges(parseKafkaConfig({ MILLRACE_KAFKA: kafka.address }), topic).catch(() => []);
    return ranges.reduce((sum, { high }) => sum + high, 0);
  }

  test('killed with kill -9 halfway and started again, the shipped pipeline ends with the same figures as without', async () => {
    const killed = start();
    await until(async () => (await written('flight-delay-bands')) >= HALFWAY);
    process.kill(-(killed.pid ?? 0), 'SIGKILL');
    const left = await written('flight-delay-bands');

    const report = JSON.parse(await textOf(start())) as { ok: boolean; finished: boolean; deadLetters: number };

    const { sinks } = await runPipeline(flightDelays, { determinism: false, params: { repeat: REPEAT } });
    const expected = TOPICS.map((topic) => [topic, Object.fromEntries((sinks[topic] ?? []).map(({ key, value }) => [key, value]))]);
    expect(report).toMatchObject({ ok: true, finished: true, deadLetters: 0 });
    expect(await results()).toEqual(Object.fromEntries(expected));
    // It was in the midst of it, and the second run did not begin anew.
    expect(left).toBeLessThan((await written('flight-delay-bands')) - 1000);
    expect(await written('flight-delay-bands')).toBeLessThan(left + (sinks['flight-delay-bands']?.length ?? 0));
  }, 240_000);
});
