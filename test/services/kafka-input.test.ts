import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { Kafka, logLevel, type Message } from 'kafkajs';
import type { KafkaConfig } from '../../functions/channels/kafka/config.ts';
import type { StartPosition } from '../../functions/graph/stage-plan.ts';
import type { KafkaEvent } from '../../functions/runtime/lambda.ts';
import { EventSourceMapping } from '../../local/emulator/event-source-mapping.ts';
import { committedOffsets } from '../../local/kafka/group-offsets.ts';
import { openKafkaInput } from '../../local/kafka/kafka-input.ts';
import { topicRanges } from '../../local/kafka/topic-reader.ts';
import { createTestTopic, describeWithKafka, freshName } from '../helpers/kafka.ts';
import { unpackEvent } from '../helpers/unpack-event.ts';

/** A mapping over a real Kafka, and what its function got: `partition:offset` of each record, in order. */
interface Reader {
  readonly mapping: EventSourceMapping;
  readonly seen: string[];
  readonly events: KafkaEvent[];
  readonly running: Promise<void>;
}

const open: Reader[] = [];
afterEach(async () => {
  for (const { mapping } of open.splice(0)) await mapping.close();
});

async function startReader(
  config: KafkaConfig,
  group: string,
  topic: string,
  onEvent: (event: KafkaEvent) => Promise<void> = async () => {},
  start: StartPosition = 'earliest',
): Promise<Reader> {
  const input = await openKafkaInput({ config, group, topics: [topic], start, onTrouble: () => undefined });
  const [seen, events]: [string[], KafkaEvent[]] = [[], []];
  const mapping = new EventSourceMapping({
    ...{ input, group, windowMs: 0, batchSize: 50 },
    async invoke(packed) {
      const event = unpackEvent(packed);
      await onEvent(event);
      events.push(event);
      for (const list of Object.values(event.records)) for (const { partition, offset } of list) seen.push(`${partition}:${offset}`);
      return { requestId: 'r', isCold: false, durationMs: 1, logTail: '', metrics: [], error: undefined, payload: 'null' };
    },
  });
  const reader = { mapping, seen, events, running: mapping.start() };
  open.push(reader);
  return reader;
}

/** Polls, as a real Kafka tells nobody. Jest's timeout ends it. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await nextTurn();
}

async function produce(config: KafkaConfig, topic: string, messages: readonly Message[], transactional = false): Promise<void> {
  const producer = new Kafka({ brokers: [...config.brokers], logLevel: logLevel.NOTHING }).producer(
    transactional ? { transactionalId: freshName('tx'), maxInFlightRequests: 1, idempotent: true } : {},
  );
  await producer.connect();
  const transaction = transactional ? await producer.transaction() : undefined;
  await (transaction ?? producer).send({ topic, messages: [...messages] });
  await transaction?.commit();
  await producer.disconnect();
}

const values = (count: number, partitions: number): Message[] =>
  Array.from({ length: count }, (_, i) => ({ key: `k${i}`, value: `v${i}`, partition: i % partitions }));

describeWithKafka('a mapping over Kafka', (config) => {
  test("gives events as Lambda's, in order; a later one goes on where the group has committed", async () => {
    const [topic, group] = [freshName('in'), freshName('g')];
    await createTestTopic(config, topic, 2, { 'message.timestamp.type': 'LogAppendTime' });
    await produce(config, topic, [{ ...(values(1, 1)[0] as Message), headers: { h: Buffer.from([1, 200]) } }, ...values(119, 2)]);
    const first = await startReader(config, group, topic);
    await until(() => first.seen.length === 120);
    await first.mapping.close();

    const [record] = first.events.flatMap(({ records }) => records[`${topic}-0`] ?? []);
    expect(record).toMatchObject({
      topic,
      partition: 0,
      offset: 0,
      timestampType: 'LOG_APPEND_TIME',
      key: 'azA=',
      value: 'djA=',
      headers: [{ h: [1, 200] }],
    });
    expect(first.events.every(({ bootstrapServers }) => bootstrapServers === config.brokers.join())).toBe(true);
    for (const partition of ['0', '1']) {
      const offsets = first.seen.filter((one) => one.startsWith(`${partition}:`)).map((one) => Number(one.slice(2)));
      expect(offsets).toEqual(offsets.map((_, i) => i));
    }

    await produce(config, topic, values(1, 1));
    const second = await startReader(config, group, topic);
    await until(() => second.seen.length > 0);
    expect(second.seen).toEqual([`0:${first.seen.filter((one) => one.startsWith('0:')).length}`]);
  });

  test('goes over the gaps that transactions leave, and when all is read has no lag and commits behind the last marker', async () => {
    const [topic, group] = [freshName('gaps'), freshName('g')];
    await createTestTopic(config, topic, 1);
    for (let i = 0; i < 3; i++) await produce(config, topic, values(2, 1), true);
    const reader = await startReader(config, group, topic);
    await until(() => reader.seen.length === 6);
    await until(async () => (await committedOffsets(config, group, [topic]))(topic, 0) === 9);
    expect(reader.mapping.lag).toBe(0);
    await reader.mapping.close();

    // Markers take offsets, too: when each is written is the broker's business, but two stand before the last message.
    const offsets = reader.seen.map((one) => Number(one.slice(2)));
    expect(offsets).toEqual([...new Set(offsets)].sort((a, b) => a - b));
    expect(offsets.at(-1)).toBeGreaterThanOrEqual(6);
    expect(reader.events[0]?.records[`${topic}-0`]?.[0]).toMatchObject({ timestampType: 'CREATE_TIME' });
  });

  test('two members share the partitions; when one goes, the other has them all, and no record is left out', async () => {
    const [topic, group] = [freshName('two'), freshName('g')];
    await createTestTopic(config, topic, 4);
    const first = await startReader(config, group, topic);
    await produce(config, topic, values(40, 4));
    await until(() => first.seen.length === 40);
    const second = await startReader(config, group, topic);
    await until(async () => {
      await produce(config, topic, values(4, 4));
      return second.seen.length > 0;
    });
    await second.mapping.close();
    await produce(config, topic, values(40, 4));
    const ends = await topicRanges(config, topic);
    const all = ends.flatMap(({ partition, high }) => Array.from({ length: high }, (_, offset) => `${partition}:${offset}`));
    await until(() => all.every((one) => first.seen.includes(one) || second.seen.includes(one)));

    expect(new Set([...first.seen, ...second.seen]).size).toBe(all.length);
  });

  test('reads ahead only so far, and gets through all of it', async () => {
    const [topic, group] = [freshName('far'), freshName('g')];
    await createTestTopic(config, topic, 1);
    const value = Buffer.alloc(100_000, 'x');
    for (let i = 0; i < 20; i++)
      await produce(
        config,
        topic,
        Array.from({ length: 9 }, () => ({ value })),
      );
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const reader = await startReader(config, group, topic, () => gate);
    const partition = reader.mapping.options.input.partitions[0];
    await until(() => (partition?.backlog()?.bytes ?? 0) >= 6 * 1024 * 1024);
    expect(partition?.backlog()?.bytes).toBeLessThan(9 * 1024 * 1024);

    release();
    await until(() => reader.seen.length === 180);
    expect(reader.seen).toEqual(Array.from({ length: 180 }, (_, i) => `0:${i}`));
  });

  test('begins where it is told to, once', async () => {
    const topic = freshName('start');
    await createTestTopic(config, topic, 1);
    await produce(
      config,
      topic,
      [1000, 2000, 3000, 4000].map((time) => ({ value: 'v', timestamp: String(time) })),
    );
    const begin = async (group: string, start: StartPosition): Promise<Reader> => startReader(config, group, topic, undefined, start);
    const readers = await Promise.all(
      (['earliest', { timestamp: 2500 }, { offsets: { [topic]: { 0: 3 } } }, { offsets: {} }] as const).map((start) =>
        begin(freshName('g'), start),
      ),
    );
    await until(() => readers.every(({ seen }) => seen.includes('0:3')));
    expect(readers.map(({ seen }) => seen[0])).toEqual(['0:0', '0:2', '0:3', '0:0']);

    const group = freshName('latest');
    const latest = await begin(group, 'latest');
    await until(async () => (await committedOffsets(config, group, [topic]))(topic, 0) !== undefined);
    await latest.mapping.close();
    await produce(config, topic, [{ value: 'v' }]);
    const next = await begin(group, 'latest');
    await until(() => next.seen.length > 0);
    expect([latest.seen, next.seen]).toEqual([[], ['0:4']]);
  });

  test('of a topic that there is not is an error', async () => {
    const topic = freshName('none');

    await expect(startReader(config, freshName('g'), topic)).rejects.toMatchObject({
      code: 'MILLRACE_TOPIC_MISSING',
      message: expect.stringContaining(topic),
    });
  });
});
