import { expect, test } from '@jest/globals';
import { produceExchange, type ProduceRequest } from '../../../../../functions/channels/kafka/produce-exchange.ts';
import { int16, int32, text } from '../../../../../functions/channels/kafka/wire.ts';
import { encodeRecordBatch } from '../../../../../functions/channels/kafka/record-batch.ts';

/** The response's layout, version 7. */
function answer(
  topics: readonly (readonly [topic: string, partitions: readonly (readonly [partition: number, errorCode: number])[]])[],
): Buffer {
  return Buffer.concat([
    int32(topics.length),
    ...topics.flatMap(([topic, partitions]) => [
      text(topic),
      int32(partitions.length),
      ...partitions.flatMap(([partition, errorCode]) => [int32(partition), int16(errorCode), Buffer.alloc(24, 0xff)]),
    ]),
    int32(0), // throttle time
  ]);
}

const request: ProduceRequest = {
  ...{ transactionalId: 'id', producerId: '5', producerEpoch: 1, timeout: 1234 },
  topicData: [{ topic: 't', partitions: [{ partition: 3, firstSequence: 9, messages: [{ key: null, value: Buffer.from('v') }] }] }],
};

test('names transaction, acknowledgements, timeout and partitions, and holds the batch as it is', async () => {
  const { apiKey, apiVersion, encode } = produceExchange(request, () => 42).request;
  const batch = await encodeRecordBatch(
    [{ key: null, value: Buffer.from('v') }],
    { producerId: '5', producerEpoch: 1, firstSequence: 9 },
    42,
  );
  const head = '00026964' + 'ffff' + '000004d2' + '00000001' + '000174' + '00000001' + '00000003';

  expect([apiKey, apiVersion]).toEqual([0, 7]);
  expect((await encode()).buffer.toString('hex')).toBe(`${head}${batch.length.toString(16).padStart(8, '0')}${batch.toString('hex')}`);
});

test('gives what each partition was answered', async () => {
  const { decode } = produceExchange(request).response;
  const bytes = answer([
    [
      't',
      [
        [3, 0],
        [4, 47],
      ],
    ],
    ['ü', [[0, -1]]],
  ]);

  await expect(decode(bytes)).resolves.toEqual({
    topics: [
      {
        topicName: 't',
        partitions: [
          { partition: 3, errorCode: 0 },
          { partition: 4, errorCode: 47 },
        ],
      },
      { topicName: 'ü', partitions: [{ partition: 0, errorCode: -1 }] },
    ],
  });
});

test('refuses an answer that ends too soon', async () => {
  const { decode } = produceExchange(request).response;
  const bytes = answer([['t', [[3, 0]]]]);

  await expect(async () => decode(bytes.subarray(0, 14))).rejects.toThrow('out of range');
});
