import { describe, expect, test } from '@jest/globals';
import { parseKafkaConfig } from '../../../../../functions/channels/kafka/config.ts';
import { type Broker, createCluster, type Exchange, withoutVerdict } from '../../../../../functions/channels/kafka/kafkajs-cluster.ts';

const config = parseKafkaConfig({ MILLRACE_KAFKA: '127.0.0.1:9' });

describe('createCluster', () => {
  test('finds what it needs in the kafkajs that is installed', async () => {
    const cluster: object = await createCluster(config);

    const methods = ['connect', 'disconnect', 'addMultipleTargetTopics', 'refreshMetadata', 'findTopicPartitionMetadata', 'findBroker'];
    expect(methods.filter((name) => typeof Reflect.get(cluster, name) !== 'function')).toEqual([]);
  });
});

describe('withoutVerdict', () => {
  const exchange: Exchange<{ errorCode: number }> = {
    request: { apiKey: 0, apiVersion: 0, apiName: 'x', encode: () => Promise.reject(new Error('not encoded here')) },
    response: {
      decode: () => Promise.resolve({ errorCode: 47 }),
      parse: ({ errorCode }) => Promise.reject(new Error(`judged ${errorCode}`)),
    },
  };
  const pool = {
    send: async <A>({ response }: Exchange<A>) => response.parse(await response.decode(Buffer.alloc(0))),
    destroy: () => 'destroyed',
  };
  const broker = { connectionPool: pool } as unknown as Broker;

  test('gives what was decoded, and leaves the broker as it is', async () => {
    await expect(withoutVerdict(broker).connectionPool.send(exchange)).resolves.toEqual({ errorCode: 47 });
    await expect(broker.connectionPool.send(exchange)).rejects.toThrow('judged 47');
  });

  test('has all else that its connections have', () => {
    expect(withoutVerdict(broker).connectionPool).toHaveProperty('destroy', pool.destroy);
  });
});
