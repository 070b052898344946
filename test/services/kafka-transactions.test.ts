import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type KafkaConfig, parseKafkaConfig } from '../../functions/channels/kafka/config.ts';
import { retryWhileBusy } from '../../functions/channels/kafka/busy-retry.ts';
import { fetchStableOffset } from '../../functions/channels/kafka/stable-offset.ts';
import { TransactionConnection } from '../../functions/channels/kafka/transaction-connection.ts';
import { createKafkaTransactionalLog } from '../../functions/channels/kafka/transactional-log.ts';
import type { TopicAppend, TransactionalLog } from '../../functions/channels/transactional-log.ts';
import { readKafkaTopic, type TopicMessage } from '../../local/kafka/topic-reader.ts';
import { transactionalLogContract } from '../contract/transactional-log.ts';
import { viewPartition } from '../helpers/committed-reader.ts';
import { API, type KafkaProxy, openKafkaProxy } from '../helpers/kafka-proxy.ts';
import { createTestTopic, freshName } from '../helpers/kafka.ts';
import { describeWithServices } from '../helpers/services.ts';

/** Of what is a race at the broker. */
const ROUNDS = 500;

/** The contract's topics and producers, under names of this test's own. */
function prefixed(log: TransactionalLog, prefix: string): TransactionalLog {
  const own = (append: TopicAppend): TopicAppend => ({ ...append, topic: `${prefix}.${append.topic}` });
  return {
    async openProducer(id, topic, partition) {
      const producer = await log.openProducer(`${prefix}.${id}`, `${prefix}.${topic}`, partition);
      return {
        committed: producer.committed,
        commit: (appends, offset) => producer.commit(appends.map(own), offset),
        close: () => producer.close(),
      };
    },
    close: () => log.close(),
  };
}

function contractOn(name: string, config: KafkaConfig): void {
  transactionalLogContract(name, () => {
    const prefix = freshName('contract');
    const log = createKafkaTransactionalLog(config);
    return Promise.resolve({
      log: prefixed(log, prefix),
      createTopic: (topic, partitions) => createTestTopic(config, `${prefix}.${topic}`, partitions),
      readCommitted: async (topic, partition) => (await viewPartition(config, `${prefix}.${topic}`, partition)).committed,
      close: () => log.close(),
    });
  });
}

const message = (value: string) => ({ key: null, value: Buffer.from(value) });

function failuresOn(name: string, config: KafkaConfig): void {
  describe(`transactions on ${name}, with failures`, () => {
    let topic: string;
    let id: string;
    let proxy: KafkaProxy;
    let direct: TransactionalLog;
    let proxied: TransactionalLog;
    let now: number;
    const append = (partition: number, ...values: string[]): TopicAppend => ({ topic, partition, messages: values.map(message) });
    const view = (partition: number) => viewPartition(config, topic, partition);
    /** From now on such requests are held; resolves when the first has come. */
    const heldRequest = (held: number) =>
      new Promise<void>((resolve) => {
        proxy.fateOf = (apiKey) => {
          if (apiKey !== held) return 'pass';
          resolve();
          return 'hold';
        };
      });

    beforeEach(async () => {
      topic = freshName('transactions');
      id = freshName('producer');
      now = 0;
      await createTestTopic(config, topic, 2, { 'max.message.bytes': '4096' });
      proxy = await openKafkaProxy(config.brokers[0] ?? '');
      direct = createKafkaTransactionalLog(config);
      proxied = createKafkaTransactionalLog({ ...config, brokers: [proxy.address] }, () => now);
    });
    afterEach(async () => {
      proxy.cut();
      await Promise.all([direct.close(), proxied.close()]);
      await proxy.close();
    });

    test('a committed offset is always seen by the next producer', async () => {
      const seen: (number | undefined)[] = [];
      for (let i = 0; i < ROUNDS; i++) {
        const producer = await direct.openProducer(id, topic, 0);
        seen.push(producer.committed);
        await producer.commit(i % 2 === 0 ? [] : [append(1, String(i))], i);
        void producer.close();
      }

      expect(seen).toEqual([undefined, ...Array.from({ length: ROUNDS - 1 }, (_, i) => i)]);
    }, 300_000);

    test('an offset is not told while a transaction that sets it is undecided', async () => {
      const producer = await proxied.openProducer(id, topic, 0);
      await producer.commit([], 1);
      const isHeld = heldRequest(API.endTxn);
      const outcome = producer.commit([], 2).then(
        () => 'committed',
        (error: unknown) => error,
      );
      await isHeld;
      const connection = await TransactionConnection.open(config, id, topic);
      const fetch = () => fetchStableOffset(connection.groupCoordinator, id, topic, 0);

      await expect(fetch()).rejects.toMatchObject({ type: 'UNSTABLE_OFFSET_COMMIT' });
      await proxy.release();
      expect(await outcome).toBe('committed');
      await expect(retryWhileBusy(5000, fetch)).resolves.toBe(2);
      await connection.close();
    });

    test('a commit that nobody acknowledged is seen by the next producer', async () => {
      for (let i = 0; i < ROUNDS / 10; i++) {
        const producer = await proxied.openProducer(id, topic, 0);
        proxy.fateOf = (apiKey) => (apiKey === API.endTxn ? 'lose-answer' : 'pass');
        await expect(producer.commit([append(1, String(i))], i)).rejects.toMatchObject({ code: 'MILLRACE_PRODUCE_FAILED' });
        proxy.fateOf = () => 'pass';
        const next = await direct.openProducer(id, topic, 0);

        expect(next.committed).toBe(i);
        expect((await view(1)).committed).toHaveLength(i + 1);
        await next.close();
      }
    }, 300_000);

    // The lost offset takes its connection with it, so the append may not have come either.
    test.each([
      ['append’s answer', API.produce, 'lose-answer', true],
      ['offset', API.txnOffsetCommit, 'lose', undefined],
      ['commit', API.endTxn, 'lose', true],
    ] as const)('when its %s is lost, the transaction stays open until the next producer shuts it out', async (_, lost, fate, isOpen) => {
      const producer = await proxied.openProducer(id, topic, 0);
      await producer.commit([append(1, 'before')], 1);
      proxy.fateOf = (apiKey) => (apiKey === lost ? fate : 'pass');
      const sent = proxy.requests.length;

      await expect(producer.commit([append(1, 'lost')], 2)).rejects.toMatchObject({ code: 'MILLRACE_PRODUCE_FAILED' });
      await expect(producer.commit([append(1, 'lost')], 2)).rejects.toMatchObject({ code: 'MILLRACE_PRODUCE_FAILED' });
      await producer.close();
      expect(proxy.requests.slice(sent).filter((apiKey) => apiKey === API.endTxn)).toHaveLength(lost === API.endTxn ? 1 : 0);
      await expect(view(1)).resolves.toMatchObject({ committed: ['before'], ...(isOpen && { hasOpenTransaction: true }) });

      const next = await direct.openProducer(id, topic, 0);
      expect(next.committed).toBe(1);
      await expect(view(1)).resolves.toMatchObject({ committed: ['before'], hasOpenTransaction: false });
    });

    test('an append that comes after the next producer has begun is refused', async () => {
      const older = await proxied.openProducer(id, topic, 0);
      const isHeld = heldRequest(API.produce);
      const failed = expect(older.commit([append(0, 'late'), append(1, 'late')], 1)).rejects.toMatchObject({ retry: 'backoff' });
      await isHeld;
      const newer = await direct.openProducer(id, topic, 0);
      proxy.cut();
      await failed;
      await proxy.release();
      await newer.commit([append(1, 'new')], 2);

      await expect(Promise.all([view(0), view(1)])).resolves.toEqual([
        { committed: [], appended: [], hasOpenTransaction: false },
        { committed: ['new'], appended: ['new'], hasOpenTransaction: false },
      ]);
    });

    test('a commit that comes after the next producer has begun commits nothing', async () => {
      const older = await proxied.openProducer(id, topic, 0);
      const isHeld = heldRequest(API.endTxn);
      const failed = expect(older.commit([append(1, 'late')], 1)).rejects.toMatchObject({ code: 'MILLRACE_FENCED' });
      await isHeld;
      const newer = await direct.openProducer(id, topic, 0);
      await proxy.release();
      await failed;

      expect(newer.committed).toBeUndefined();
      await expect(view(1)).resolves.toMatchObject({ committed: [], hasOpenTransaction: false });
      await expect(direct.openProducer(id, topic, 0)).resolves.toMatchObject({ committed: undefined });
    });

    test('connections that lay idle are not trusted, and the producer goes on with new ones', async () => {
      const producer = await proxied.openProducer(id, topic, 0);
      await producer.commit([append(1, 'a')], 1);
      proxy.stall();
      now += 61_000;
      await producer.commit([append(1, 'b')], 2);

      await expect(view(1)).resolves.toMatchObject({ committed: ['a', 'b'] });
    }, 9_000);

    test('a list that is over the topic’s limit goes out in parts, and a message that is over it is refused', async () => {
      const values = Array.from({ length: 200 }, (_, i) => String(i).padStart(100, '.'));
      const producer = await direct.openProducer(id, topic, 0);
      await producer.commit([append(1, ...values), append(0, 'a')], 1);
      await producer.commit([append(1, 'last')], 2);

      expect((await view(1)).committed).toEqual([...values, 'last']);
      await expect(producer.commit([append(1, 'x'.repeat(5000))], 3)).rejects.toMatchObject({
        code: 'MILLRACE_MESSAGE_TOO_LARGE',
        message: expect.stringContaining(topic) as unknown,
      });
    });

    test('keys, tombstones and headers arrive as they were', async () => {
      const headers = [
        ['b', Buffer.from('1')],
        ['b', Buffer.of(0, 255)],
        ['ä', Buffer.from('')],
      ] as const;
      const gzipped = createKafkaTransactionalLog({ ...config, compression: 'gzip' });
      const producer = await gzipped.openProducer(id, topic, 0);
      await producer.commit([{ topic, partition: 1, messages: [{ key: Uint8Array.of(107), value: null, headers }, message('v')] }], 1);
      await gzipped.close();

      const read: TopicMessage[] = [];
      // It reads all that there is, and a marker is written a little after the commit.
      await direct.openProducer(id, topic, 0);
      await readKafkaTopic(config, topic, (one) => read.push(one));
      expect(read.map(({ key, value }) => [key?.toString(), value?.toString()])).toEqual([
        ['k', undefined],
        [undefined, 'v'],
      ]);
      expect(read[0]?.headers.map(([header, value]) => [header, [...value]])).toEqual([
        ['b', [49]],
        ['b', [0, 255]],
        ['ä', []],
      ]);
    });

    test('names the input topic if it is missing', async () => {
      await expect(direct.openProducer(id, `${topic}-missing`, 0)).rejects.toMatchObject({
        code: 'MILLRACE_TOPIC_MISSING',
        message: expect.stringContaining(`${topic}-missing`) as unknown,
      });
    });

    test('says so when no broker answers', async () => {
      await proxied.close();
      const gone = createKafkaTransactionalLog({ ...config, brokers: ['127.0.0.1:1'] });

      await expect(gone.openProducer(id, topic, 0)).rejects.toMatchObject({ code: 'MILLRACE_CONNECTION_LOST', retry: 'backoff' });
    });
  });
}

function suite(name: string, address: string): void {
  const config = parseKafkaConfig({ MILLRACE_KAFKA: address });
  contractOn(name, config);
  failuresOn(name, config);
}

describeWithServices(['kafka'], 'Kafka 3.9', ({ kafka }) => suite('Kafka 3.9', kafka.address));
describeWithServices(['kafka4'], 'Kafka 4', ({ kafka4 }) => suite('Kafka 4', kafka4.address));
