import { describe, expect, test } from '@jest/globals';
import type { ChannelWriter, OutgoingMessage } from '../../../../../functions/channels/channel-writer.ts';
import { string } from '../../../../../functions/codec/string.ts';
import { kafkaSink, type KafkaSinkOptions } from '../../../../../functions/connectors/kafka/sink.ts';
import { murmur2 } from '../../../../../functions/connectors/kafka/murmur2.ts';
import type { SinkWriter } from '../../../../../functions/connectors/sink.ts';

interface Append {
  readonly topic: string;
  readonly partition: number;
  readonly messages: readonly OutgoingMessage[];
}

class FakeChannels implements ChannelWriter {
  readonly appends: Append[] = [];
  counts = 0;
  failing: number | undefined;
  private readonly partitions: number;

  constructor(partitions: number) {
    this.partitions = partitions;
  }

  async append(topic: string, partition: number, messages: readonly OutgoingMessage[]): Promise<void> {
    await Promise.resolve();
    if (partition === this.failing) throw new Error('append failed');
    this.appends.push({ topic, partition, messages });
  }

  async partitionCount(): Promise<number> {
    this.counts++;
    return this.partitions;
  }

  async close(): Promise<void> {
    await Promise.resolve();
  }

  /** Values by partition, in order. */
  values(): readonly (readonly [number, readonly string[]])[] {
    return this.appends
      .map(({ partition, messages }) => [partition, messages.map(({ value }) => Buffer.from(value ?? []).toString())] as const)
      .sort(([left], [right]) => left - right);
  }
}

function open(options: Partial<KafkaSinkOptions<string>> = {}, partitions = 3): { channels: FakeChannels; writer: SinkWriter<string> } {
  const channels = new FakeChannels(partitions);
  const sink = kafkaSink({ topic: 'out', value: string(), ...options });
  return {
    channels,
    writer: sink.open({ task: 'total/orders-3@1', pipeline: 'default.test', channels, now: () => 0, print: () => undefined }),
  };
}

function write(writer: SinkWriter<string>, values: readonly string[]): void {
  for (const [offset, value] of values.entries()) writer.write(value, undefined, { offset, ordinal: 0, emission: 0 });
}

describe('kafka sink', () => {
  test('puts a key where a Java producer would, in one append a partition, in order', async () => {
    const { channels, writer } = open({ key: (value) => value[0] ?? null });
    const partitionOf = (key: string): number => (murmur2(Buffer.from(key)) & 0x7fffffff) % 3;
    const values = ['a1', 'b1', 'a2', 'c1', 'b2', 'a3'];

    write(writer, values);
    await writer.flush();

    for (const [partition, written] of channels.values()) {
      expect(written).toEqual(values.filter((value) => partitionOf(value[0] ?? '') === partition));
    }
    expect(channels.values().flatMap(([, written]) => written)).toHaveLength(values.length);
    expect(channels.appends[0]?.messages[0]?.key).toEqual(
      Buffer.from(values.find((v) => partitionOf(v[0] ?? '') === channels.appends[0]?.partition)?.[0] ?? ''),
    );
  });

  test('gives messages the event time of their records, if it is told so', async () => {
    const { channels, writer } = open({ timestamps: 'event-time', partitioner: { fixed: 0 } });
    const origin = { offset: 0, ordinal: 0, emission: 0 };
    for (const time of [0, 1234.9, undefined]) writer.write('a', time, origin);
    const silent = open({ partitioner: { fixed: 0 } });
    silent.writer.write('a', 5, origin);

    await Promise.all([writer.flush(), silent.writer.flush()]);

    expect(channels.appends[0]?.messages.map(({ timestamp }) => timestamp)).toEqual([0, 1234, undefined]);
    expect(silent.channels.appends[0]?.messages[0]).not.toHaveProperty('timestamp');
    for (const time of [-1, NaN, Infinity]) {
      expect(() => writer.write('a', time, origin)).toThrow(expect.objectContaining({ code: 'MILLRACE_VALUE_NOT_ENCODABLE' }));
    }
  });

  test('spreads records without a key by their origin, the same way every time', async () => {
    const first = open();
    const second = open();
    write(first.writer, ['a', 'b', 'c', 'd']);
    write(second.writer, ['a', 'b', 'c', 'd']);
    await first.writer.flush();
    await second.writer.flush();

    expect(first.channels.values()).toEqual([
      [0, ['a', 'd']],
      [1, ['b']],
      [2, ['c']],
    ]);
    expect(second.channels.values()).toEqual(first.channels.values());
    expect(first.channels.appends[0]?.messages[0]?.key).toBeNull();
  });

  test('spreads keyed records too, if told so', async () => {
    const { channels, writer } = open({ key: () => 'same', partitioner: 'round-robin' });

    write(writer, ['a', 'b', 'c']);
    await writer.flush();

    expect(channels.values()).toEqual([
      [0, ['a']],
      [1, ['b']],
      [2, ['c']],
    ]);
  });

  test('scatters records by a hash of their origin: over all partitions, without a pattern, the same way every time', async () => {
    const values = Array.from({ length: 3000 }, (_, i) => String(i));
    const [first, second] = [open({ partitioner: 'random', key: () => 'same' }), open({ partitioner: 'random' })];
    for (const { writer } of [first, second]) {
      write(writer, values);
      await writer.flush();
    }

    const shares = first.channels.values().map(([, written]) => written.length);
    expect(shares).toHaveLength(3);
    for (const share of shares) expect(Math.abs(share - 1000)).toBeLessThan(100);
    expect(first.channels.values()[0]?.[1].slice(0, 5)).not.toEqual(['0', '3', '6', '9', '12']);
    expect(second.channels.values()).toEqual(first.channels.values());
  });

  test('writes to one partition if told so', async () => {
    const { channels, writer } = open({ partitioner: { fixed: 2 }, key: (value) => value });

    write(writer, ['a', 'b', 'c']);
    await writer.flush();

    expect(channels.values()).toEqual([[2, ['a', 'b', 'c']]]);
  });

  test('adds headers, text as UTF-8, and counts them to the size', async () => {
    const { channels, writer } = open(
      { headers: (value) => ({ 'content-type': 'ä', raw: Uint8Array.of(value.length) }), maxMessageBytes: 27 },
      1,
    );

    write(writer, ['a', 'bb']);
    expect(() => {
      write(writer, ['ten chars!', '']);
    }).toThrow(expect.objectContaining({ code: 'MILLRACE_VALUE_TOO_LARGE' }));
    await writer.flush();

    const headers = channels.appends[0]?.messages.map((message) => message.headers?.map(([name, value]) => [name, ...value]));
    expect(headers).toEqual([
      [
        ['content-type', 0xc3, 0xa4],
        ['raw', 1],
      ],
      [
        ['content-type', 0xc3, 0xa4],
        ['raw', 2],
      ],
    ]);
  });

  test('names the origin in the last header if told so, and counts it to the size', async () => {
    const { channels, writer } = open({ lineage: true, headers: (value) => ({ 'millrace-origin': value }), maxMessageBytes: 56 }, 1);

    writer.write('a', undefined, { offset: 17, ordinal: 4, emission: 2 });
    expect(() => writer.write('aa', undefined, { offset: 17, ordinal: 4, emission: 3 })).toThrow(
      expect.objectContaining({ code: 'MILLRACE_VALUE_TOO_LARGE' }),
    );
    await writer.flush();

    const headers = channels.appends[0]?.messages.map((message) => message.headers?.map(([name, value]) => [name, String(value)]));
    expect(headers).toEqual([
      [
        ['millrace-origin', 'a'],
        ['millrace-origin', 'total/orders-3@1:17.4.2'],
      ],
    ]);
  });

  test('adds no header unless told to', async () => {
    const { channels, writer } = open({}, 1);

    write(writer, ['a']);
    await writer.flush();

    expect(channels.appends[0]?.messages).toEqual([{ key: null, value: Buffer.from('a') }]);
  });

  test('asks a partitioner of the user, modulo the number of partitions', async () => {
    const { channels, writer } = open({ partitioner: (value) => Number(value) });

    write(writer, ['2', '5', '1']);
    await writer.flush();

    expect(channels.values()).toEqual([
      [1, ['1']],
      [2, ['2', '5']],
    ]);
  });

  test.each([-1, 0.5, NaN])('fails the record for which a partitioner returns %p', (slot) => {
    const { writer } = open({ partitioner: () => slot });

    expect(() => {
      write(writer, ['a']);
    }).toThrow(expect.objectContaining({ code: 'MILLRACE_USER_FUNCTION' }));
    expect(writer.mark()).toBe(0);
  });

  test.each<[what: string, options: object, message: string]>([
    ['a number as key', { key: () => 5 }, 'key of a message for topic out is of type number'],
    ['an object as key', { key: () => ({ id: 5 }) }, 'key of a message for topic out is an instance of Object'],
    ['wider numbers as key', { key: () => new Uint16Array(1) }, 'key of a message for topic out is an instance of Uint16Array'],
    [
      'a header that is none',
      { headers: () => ({ trace: 'a', user: undefined }) },
      "header 'user' of a message for topic out is undefined",
    ],
    [
      'a codec that encodes text',
      { value: { ...string(), encode: (text: string) => text } },
      'what the codec of topic out encoded is of type string',
    ],
  ])('fails the record for %s, and none else', async (_what, options, message) => {
    const { channels, writer } = open(options, 1);

    expect(() => {
      write(writer, ['a']);
    }).toThrow(expect.objectContaining({ code: 'MILLRACE_VALUE_NOT_ENCODABLE', message: expect.stringContaining(message) }));
    expect(writer.mark()).toBe(0);
    await writer.flush();
    expect(channels.appends).toEqual([]);
  });

  test('takes keys and headers that are text, bytes or (keys) nothing', async () => {
    const { channels, writer } = open({ key: (value) => [null, undefined, '', Uint8Array.of(1)][Number(value)] as never }, 1);

    write(writer, ['0', '1', '2', '3']);
    await writer.flush();

    expect(channels.appends.flatMap(({ messages }) => messages.map(({ key }) => key && [...key]))).toEqual([null, null, [], [1]]);
  });

  test('takes back what was written since a mark', async () => {
    const { channels, writer } = open({}, 1);
    write(writer, ['a', 'b']);
    const mark = writer.mark();
    write(writer, ['c', 'd']);

    writer.reset(mark);
    await writer.flush();

    expect(channels.values()).toEqual([[0, ['a', 'b']]]);
  });

  test('asks for the number of partitions once, and sends nothing where nothing was written', async () => {
    const { channels, writer } = open();
    await writer.flush();
    expect(channels.counts).toBe(0);

    write(writer, ['a']);
    await writer.flush();
    write(writer, ['b']);
    await writer.flush();

    expect(channels.counts).toBe(1);
    expect(channels.appends).toHaveLength(2);
  });

  test('fails when one append fails, but only after all have ended', async () => {
    const { channels, writer } = open();
    channels.failing = 0;
    write(writer, ['a', 'b', 'c']);

    await expect(writer.flush()).rejects.toThrow('append failed');

    expect(channels.appends).toHaveLength(2);
    expect(writer.mark()).toBe(3);
  });

  test.each<[wrong: object]>([[{ topic: '' }], [{ value: undefined }], [{ partitioner: 'chance' }], [{ partitioner: { fixed: '0' } }]])(
    'refuses %p',
    (wrong) => {
      expect(() => open(wrong as never)).toThrow(expect.objectContaining({ code: 'MILLRACE_OPTION_INVALID' }));
    },
  );
});
