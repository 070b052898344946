import { MillraceError } from '../../shared/errors.ts';
import { BrokerRefusal } from './broker-refusal.ts';
import type { Broker, Exchange } from './kafkajs-cluster.ts';

/** OffsetFetch, version 7 (Kafka 2.5, KIP-447): the first with `require_stable`; kafkajs has no more than version 4. */
const API_KEY = 9;
const API_VERSION = 7;

/**
 * The offset that `group` has committed for a partition; undefined if it has none. Refused with UNSTABLE_OFFSET_COMMIT while a
 * transaction that sets it is decided but not yet seen by the group's coordinator: without that, an old offset could be read after the
 * transaction was known to be committed.
 */
export async function fetchStableOffset(coordinator: Broker, group: string, topic: string, partition: number): Promise<number | undefined> {
  if ((coordinator.versions[API_KEY]?.maxVersion ?? 0) < API_VERSION)
    throw new MillraceError(
      'MILLRACE_CONFIG_INVALID',
      'exactly-once sinks need Kafka 2.5 or newer, and these brokers are older: update them, or write at least once',
    );
  const { offset, errorCode } = await coordinator.connectionPool.send(stableOffsetExchange(group, topic, partition));
  if (errorCode !== 0) throw new BrokerRefusal(errorCode, `group ${group}`);
  return offset < 0 ? undefined : offset;
}

/** `offset`: −1 if there is none. */
interface StableOffset {
  readonly offset: number;
  readonly errorCode: number;
}

export function stableOffsetExchange(group: string, topic: string, partition: number): Exchange<StableOffset> {
  return {
    request: {
      apiKey: API_KEY,
      apiVersion: API_VERSION,
      apiName: 'OffsetFetch',
      encode: () => {
        const buffer = encodeRequest(group, topic, partition);
        return Promise.resolve({ buf: buffer, buffer });
      },
    },
    response: { decode: (answer) => Promise.resolve(decodeAnswer(answer)), parse: (decoded) => Promise.resolve(decoded) },
  };
}

/** The first byte belongs to the header, which has a list of tagged fields at its end from this version on. */
function encodeRequest(group: string, topic: string, partition: number): Buffer {
  const index = Buffer.alloc(4);
  index.writeInt32BE(partition);
  const topics = [compactLength(1), compactString(topic), compactLength(1), index, NO_TAGS];
  return Buffer.concat([NO_TAGS, compactString(group), ...topics, REQUIRE_STABLE, NO_TAGS]);
}

const NO_TAGS = Buffer.of(0);
const REQUIRE_STABLE = Buffer.of(1);

function compactString(text: string): Buffer {
  return Buffer.concat([compactLength(Buffer.byteLength(text)), Buffer.from(text)]);
}

/** Lengths are written as varints, one more than they are: 0 is null. */
function compactLength(length: number): Buffer {
  const bytes = [];
  let rest = length + 1;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.of(...bytes, rest);
}

function decodeAnswer(answer: Buffer): StableOffset {
  const reader = new CompactReader(answer);
  reader.tags();
  reader.skip(4); // throttle time
  let offset = -1;
  let errorCode = 0;
  for (let topics = reader.length(); topics > 0; topics--) {
    reader.skip(reader.length()); // its name: only one was asked for
    for (let partitions = reader.length(); partitions > 0; partitions--) {
      reader.skip(4);
      offset = Number(reader.int64());
      reader.skip(4); // leader's epoch
      reader.skip(reader.length()); // metadata
      errorCode ||= reader.int16();
      reader.tags();
    }
    reader.tags();
  }
  return { offset, errorCode: errorCode || reader.int16() };
}

/** Reads Kafka's compact encoding. What goes beyond the end throws a RangeError. */
class CompactReader {
  private readonly bytes: Buffer;
  private at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  skip(count: number): void {
    this.at += count;
  }

  int16(): number {
    this.at += 2;
    return this.bytes.readInt16BE(this.at - 2);
  }

  int64(): bigint {
    this.at += 8;
    return this.bytes.readBigInt64BE(this.at - 8);
  }

  /** Of what follows; null counts as 0. */
  length(): number {
    return Math.max(0, this.varint() - 1);
  }

  /** Passes over tagged fields, whatever they are. */
  tags(): void {
    for (let count = this.varint(); count > 0; count--) {
      this.varint();
      this.skip(this.varint());
    }
  }

  private varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.bytes.readUInt8(this.at++);
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a varint of more than 5 bytes');
  }
}
