import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Broker, Exchange } from '../../../../../functions/channels/kafka/kafkajs-cluster.ts';
import { fetchStableOffset, stableOffsetExchange } from '../../../../../functions/channels/kafka/stable-offset.ts';
import '../../../../helpers/fast-check.ts';

/** An answer as brokers send it after the correlation id: Kafka's message definition of OffsetFetch, version 7. */
function answer(offset: bigint, partitionError: number, topLevelError: number, metadata = ''): Buffer {
  const head = Buffer.from([0, 0, 0, 0, 0, 2, 3, ...Buffer.from('in'), 2, 0, 0, 0, 1]);
  const committed = Buffer.alloc(8);
  committed.writeBigInt64BE(offset);
  const tail = Buffer.from([0, 0, 0, 5, metadata.length + 1, ...Buffer.from(metadata), 0, partitionError, 0, 0, 0, topLevelError, 0]);
  return Buffer.concat([head, committed, tail]);
}

/** A broker that speaks OffsetFetch up to `maxVersion`, and answers with these bytes. */
function broker(bytes: Buffer, maxVersion = 7): Broker {
  const send = async <A>({ response }: Exchange<A>): Promise<A> => response.parse(await response.decode(bytes));
  return { versions: { 9: { minVersion: 1, maxVersion } }, connectionPool: { send } } as unknown as Broker;
}

describe('fetchStableOffset', () => {
  test('asks for one partition, and for stable offsets only', async () => {
    const { request } = stableOffsetExchange('g', 'in', 258);

    expect([request.apiKey, request.apiVersion]).toEqual([9, 7]);
    expect((await request.encode()).buffer.toString('hex')).toBe(
      ['00', '02', '67', '02', '03', '696e', '02', '00000102', '00', '01', '00'].join(''),
    );
  });

  test('encodes names of more than 126 bytes', async () => {
    const { buffer } = await stableOffsetExchange('ä'.repeat(100), 'in', 0).request.encode();

    expect([...buffer.subarray(0, 5)]).toEqual([0, 0xc9, 0x01, 0xc3, 0xa4]);
  });

  test.each([
    [0n, 0],
    [7n, 7],
    [2n ** 40n, 2 ** 40],
    [-1n, undefined],
  ])('reads offset %p as %p', async (offset, expected) => {
    await expect(fetchStableOffset(broker(answer(offset, 0, 0, 'meta')), 'g', 'in', 1)).resolves.toBe(expected);
  });

  test.each([
    ['of the partition', answer(-1n, 88, 0)],
    ['of the group', answer(-1n, 0, 88)],
  ])('throws the error %s by Kafka’s name', async (_, bytes) => {
    await expect(fetchStableOffset(broker(bytes), 'g', 'in', 1)).rejects.toMatchObject({ type: 'UNSTABLE_OFFSET_COMMIT' });
  });

  test('refuses brokers that can’t tell stable offsets from others', async () => {
    await expect(fetchStableOffset(broker(answer(7n, 0, 0), 6), 'g', 'in', 1)).rejects.toMatchObject({ code: 'MILLRACE_CONFIG_INVALID' });
  });

  test('ends on any bytes, with an offset or a RangeError', async () => {
    const { decode } = stableOffsetExchange('g', 'in', 0).response;
    const valid = answer(7n, 0, 0, 'meta');
    await fc.assert(
      fc.asyncProperty(fc.nat(valid.length), fc.uint8Array({ maxLength: 40 }), async (cut, noise) => {
        const outcome: unknown = await Promise.resolve()
          .then(() => decode(Buffer.concat([valid.subarray(0, cut), noise])))
          .catch((error: unknown) => error);
        const { name, offset } = outcome as { name?: unknown; offset?: unknown };
        expect(name === 'RangeError' || typeof offset === 'number').toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
