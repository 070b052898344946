import type { OutgoingMessage } from '../../functions/channels/channel-writer.ts';

/** kafkajs's own encoder, of what lies below its public API. */
/* eslint-disable @typescript-eslint/no-require-imports -- it has no types */
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: object) => object;
const Encoder = require('kafkajs/src/protocol/encoder') as new () => {
  writeEncoderArray(records: readonly object[]): { readonly buffer: Buffer };
};
/* eslint-enable @typescript-eslint/no-require-imports */

export interface BatchFields {
  readonly firstOffset?: number;
  /** Where the log cleaner has taken records from the end. */
  readonly lastOffset?: number;
  /** Of records, in ms; each is a second later than the one before. */
  readonly firstTime?: number;
  /** Kafka's bits: 8 log append time, 16 in a transaction, 32 marker. */
  readonly attributes?: number;
  readonly producerId?: number;
  /** In place of the records, and with a compression in the attributes. */
  readonly compress?: (records: Buffer) => Buffer;
}

/** A batch of records (format 2), as a broker sends it. */
export function recordBatch(messages: readonly OutgoingMessage[], fields: BatchFields = {}): Buffer {
  const {
    firstOffset = 0,
    lastOffset = firstOffset + messages.length - 1,
    firstTime = 1_700_000_000_000,
    attributes = 0,
    producerId = -1,
    compress = (records: Buffer) => records,
  } = fields;
  const records = messages.map(({ key, value, headers = [] }, i) =>
    encodeRecord({ offsetDelta: i, timestampDelta: i * 1000, key, value, headers: Object.fromEntries(headers) }),
  );
  const body = compress(new Encoder().writeEncoderArray(records).buffer);
  const head = Buffer.alloc(61);
  head.writeBigInt64BE(BigInt(firstOffset), 0);
  head.writeInt32BE(49 + body.length, 8);
  head.writeInt8(2, 16);
  head.writeInt16BE(attributes, 21);
  head.writeInt32BE(lastOffset - firstOffset, 23);
  head.writeBigInt64BE(BigInt(firstTime), 27);
  head.writeBigInt64BE(BigInt(firstTime + (messages.length - 1) * 1000), 35);
  head.writeBigInt64BE(BigInt(producerId), 43);
  head.writeInt32BE(messages.length, 57);
  return Buffer.concat([head, body]);
}
