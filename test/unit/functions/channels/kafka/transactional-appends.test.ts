import { describe, expect, test } from '@jest/globals';
import type { Broker } from '../../../../../functions/channels/kafka/kafkajs-cluster.ts';
import type { ProduceAnswer, ProduceRequest } from '../../../../../functions/channels/kafka/produce-exchange.ts';
import type { TransactionConnection } from '../../../../../functions/channels/kafka/transaction-connection.ts';
import { appendAll, type AppendContext, partitionsOf, queuesOf } from '../../../../../functions/channels/kafka/transactional-appends.ts';
import type { TopicAppend } from '../../../../../functions/channels/transactional-log.ts';

const BUSY = 51;
const TOO_LARGE = 10;
const FENCED = 47;
const INVALID_TIMESTAMP = 32;

const append = (topic: string, partition: number, ...values: string[]): TopicAppend => ({
  topic,
  partition,
  messages: values.map((value) => ({ key: null, value: Buffer.from(value) })),
});

interface FakeBroker {
  produce(request: ProduceRequest): Promise<ProduceAnswer>;
}

interface Sent {
  readonly leader: number;
  readonly partition: number;
  readonly firstSequence: number;
  readonly values: string[];
}

/** Two brokers that lead the even and the odd partitions, and answer as `judge` says: 0 appends. */
function cluster(judge: (sent: Sent, attempt: number) => number, delays: readonly Promise<unknown>[] = []) {
  const requests: Sent[] = [];
  const brokers = [0, 1].map((leader) => {
    const produce = async ({ topicData }: ProduceRequest): Promise<ProduceAnswer> => {
      const answer = {
        topics: topicData.map(({ topic, partitions }) => ({
          topicName: topic,
          partitions: partitions.map(({ partition, firstSequence, messages }) => {
            const sent = { leader, partition, firstSequence, values: messages.map(({ value }) => String(value)) };
            requests.push(sent);
            return { partition, errorCode: judge(sent, requests.filter((one) => one.partition === partition).length) };
          }),
        })),
      };
      await delays[leader];
      return answer;
    };
    return { produce } as unknown as Broker;
  });
  const connection = { leaderOf: (_: string, partition: number) => Promise.resolve(brokers[partition % 2]) };
  return { requests, connection: connection as unknown as TransactionConnection };
}

function context(): AppendContext {
  return {
    identity: { transactionalId: 'id', producerId: '1', producerEpoch: 0 },
    sequences: new Map(),
    compressionOf: () => 0,
    timeoutMs: 1000,
    produce: (leader, request) => (leader as unknown as FakeBroker).produce(request),
  };
}

describe('queuesOf', () => {
  test('puts messages for one partition side by side, in order, and leaves out what is empty', () => {
    const queues = queuesOf([append('t', 0, 'a'), append('t', 1), append('u', 0, 'b'), append('t', 0, 'c')]);

    expect(
      queues.map(({ topic, partition, lists }) => [topic, partition, lists.map((list) => list.map(({ value }) => String(value)))]),
    ).toEqual([
      ['t', 0, [['a', 'c']]],
      ['u', 0, [['b']]],
    ]);
    expect(partitionsOf([...queues, { topic: 't', partition: 7 }])).toEqual([
      { topic: 't', partitions: [0, 7] },
      { topic: 'u', partitions: [0] },
    ]);
  });

  test('cuts what does not fit one batch', () => {
    const [queue] = queuesOf([append('t', 0, ...Array.from({ length: 3 }, () => 'x'.repeat(500_000)))]);

    expect(queue?.lists.map((list) => list.length)).toEqual([1, 1, 1]);
  });
});

describe('appendAll', () => {
  test('finds what a topic refuses for its timestamp, and appends the rest without a gap in its sequence', async () => {
    const { connection, requests } = cluster(({ values }) => (values.some((value) => value.startsWith('late')) ? INVALID_TIMESTAMP : 0));
    const refused: string[] = [];
    const queues = queuesOf([append('t', 0, 'a', 'late 1', 'b', 'late 2'), append('t', 1, 'c')]);
    await appendAll(connection, queues, {
      ...context(),
      onRefused: ({ topic, partition }, { value }, { type }) => refused.push(`${topic}-${partition} ${String(value)} ${type}`),
    });

    expect(refused).toEqual(['late 1', 'late 2'].map((value) => `t-0 ${value} INVALID_TIMESTAMP`));
    const appended = requests.filter(({ values }) => !values.some((value) => value.startsWith('late')));
    expect(appended.map(({ partition, firstSequence, values }) => [partition, firstSequence, values])).toEqual([
      [1, 0, ['c']],
      [0, 0, ['a']],
      [0, 1, ['b']],
    ]);
    const unheard = appendAll(connection, queuesOf([append('t', 0, 'late 3')]), context());
    await expect(unheard).rejects.toMatchObject({ type: 'INVALID_TIMESTAMP' });
  });

  test('counts sequence numbers by partition, from one transaction to the next', async () => {
    const { connection, requests } = cluster(() => 0);
    const shared = context();
    await appendAll(connection, queuesOf([append('t', 0, 'a', 'b'), append('t', 1, 'c')]), shared);
    await appendAll(connection, queuesOf([append('t', 0, 'd'), append('t', 1, 'e')]), shared);

    expect(requests.map(({ leader, partition, firstSequence }) => [leader, partition, firstSequence])).toEqual([
      [0, 0, 0],
      [1, 1, 0],
      [0, 0, 2],
      [1, 1, 1],
    ]);
  });

  test('starts sequence numbers anew after the last possible one', async () => {
    const { connection, requests } = cluster(() => 0);
    const shared = context();
    shared.sequences.set('t-0', 2 ** 31 - 1);
    await appendAll(connection, queuesOf([append('t', 0, 'a', 'b')]), shared);
    await appendAll(connection, queuesOf([append('t', 0, 'c')]), shared);

    expect(requests.map(({ firstSequence }) => firstSequence)).toEqual([2 ** 31 - 1, 1]);
  });

  test('repeats for a partition that was busy, with the same sequence number, and for no other', async () => {
    const { connection, requests } = cluster(({ partition }, attempt) => (partition === 2 && attempt === 1 ? BUSY : 0));
    await appendAll(connection, queuesOf([append('t', 0, 'a'), append('t', 1, 'b'), append('t', 2, 'c')]), context());

    expect(requests.map(({ partition, firstSequence, values }) => [partition, firstSequence, values])).toEqual([
      [0, 0, ['a']],
      [2, 0, ['c']],
      [1, 0, ['b']],
      [2, 0, ['c']],
    ]);
  });

  test('does not repeat what another broker is still at, because one is busy', async () => {
    let answer = (): void => undefined;
    const slow = new Promise<void>((resolve) => (answer = resolve));
    const { connection, requests } = cluster(
      ({ partition }, attempt) => {
        if (partition === 1 && attempt === 1) setTimeout(answer, 20);
        return partition === 1 && attempt === 1 ? BUSY : 0;
      },
      [slow],
    );
    const queues = queuesOf([append('t', 0, 'x'.repeat(600_000), 'y'.repeat(600_000)), append('t', 1, 'b')]);
    await appendAll(connection, queues, context());

    expect(requests.map(({ partition, firstSequence, values }) => [partition, firstSequence, values.join('').slice(0, 1)])).toEqual([
      [0, 0, 'x'],
      [1, 0, 'b'],
      [0, 1, 'y'],
      [1, 0, 'b'],
    ]);
  });

  test('halves a list that is too large, and keeps its order', async () => {
    const { connection, requests } = cluster(({ values }) => (values.length > 2 ? TOO_LARGE : 0));
    await appendAll(connection, queuesOf([append('t', 0, 'a', 'b', 'c', 'd', 'e')]), context());

    expect(requests.map(({ firstSequence, values }) => [firstSequence, values.join('')])).toEqual([
      [0, 'abcde'],
      [0, 'ab'],
      [2, 'cde'],
      [2, 'c'],
      [3, 'de'],
    ]);
  });

  test.each([
    ['a message that is too large', TOO_LARGE, 'MESSAGE_TOO_LARGE'],
    ['a refusal', FENCED, 'INVALID_PRODUCER_EPOCH'],
  ])('ends at %s, though another partition is busy', async (_, errorCode, type) => {
    const { connection, requests } = cluster(({ partition }) => (partition === 0 ? BUSY : errorCode));
    const ended = appendAll(connection, queuesOf([append('t', 0, 'a'), append('t', 2, 'b')]), context());

    await expect(ended).rejects.toMatchObject({ type, message: `${type}: t-2` });
    expect(requests).toHaveLength(2);
  });

  test('takes an answer that leaves a partition out for no acknowledgement', async () => {
    const leader = { produce: () => Promise.resolve({ topics: [] }) } as unknown as Broker;
    const connection = { leaderOf: () => Promise.resolve(leader) } as unknown as TransactionConnection;

    await expect(appendAll(connection, queuesOf([append('t', 0, 'a')]), context())).rejects.toMatchObject({ type: 'error code -1' });
  });
});
