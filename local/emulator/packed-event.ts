/**
 * The event of a Kafka mapping as the bytes of its messages. An environment's thread makes objects of them: as JSON, an event would be written
 * here and parsed there, which is most of what passing it on costs. Plain data on shared memory: whoever made it may write to it again when no
 * environment reads it any more.
 */
export interface PackedEvent {
  readonly bootstrapServers: string;
  readonly partitions: readonly PackedPartition[];
  /**
   * The messages of all partitions, in order: f64 offset, f64 timestamp, u8 1 if the log set the timestamp, then as in
   * functions/channels/embedded/message-layout.ts. Little-endian.
   */
  readonly bytes: Uint8Array<SharedArrayBuffer>;
}

export interface PackedPartition {
  readonly topic: string;
  readonly partition: number;
  /** Messages. */
  readonly count: number;
}

/** Bytes in front of a message. */
export const PLACE_BYTES = 17;

/** JavaScript without imports, for the bootstrap of an environment: `unpackEvent(packed)` is the event as Lambda passes it to a handler. */
export const UNPACK_EVENT = `
function unpackEvent({ bootstrapServers, partitions, bytes }) {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const headersOf = (count) => {
    const headers = [];
    for (; count > 0; count--) {
      const nameEnd = at + 2 + view.getUint16(at, true);
      const end = nameEnd + 4 + view.getUint32(nameEnd, true);
      headers.push({ [source.toString('utf8', at + 2, nameEnd)]: Array.from(source.subarray(nameEnd + 4, end)) });
      at = end;
    }
    return headers;
  };
  const recordOf = (topic, partition) => {
    const offset = view.getFloat64(at, true);
    const timestamp = view.getFloat64(at + 8, true);
    const timestampType = source[at + 16] === 1 ? 'LOG_APPEND_TIME' : 'CREATE_TIME';
    const keyAt = at + 21;
    const keyLength = view.getInt32(keyAt - 4, true);
    const valueAt = keyAt + 4 + (keyLength < 0 ? 0 : keyLength);
    const valueLength = view.getInt32(valueAt - 4, true);
    const value = valueLength < 0 ? null : source.base64Slice(valueAt, valueAt + valueLength);
    at = valueAt + 2 + (valueLength < 0 ? 0 : valueLength);
    const headers = headersOf(view.getUint16(at - 2, true));
    if (keyLength < 0) return { topic, partition, offset, timestamp, timestampType, value, headers };
    return { topic, partition, offset, timestamp, timestampType, key: source.base64Slice(keyAt, keyAt + keyLength), value, headers };
  };
  const records = {};
  for (const { topic, partition, count } of partitions) {
    const list = new Array(count);
    for (let i = 0; i < count; i++) list[i] = recordOf(topic, partition);
    records[topic + '-' + partition] = list;
  }
  return { eventSource: 'SelfManagedKafka', bootstrapServers, records };
}
`;
