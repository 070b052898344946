import { compress, uncompress } from 'snappyjs';
import type { CompressionCodec } from './codec.ts';

/** What Java's clients put before their blocks: a name, and versions 1 and 1. Others write one block without all that. */
const MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const HEADER = Buffer.concat([MAGIC, Buffer.from([0, 0, 0, 1, 0, 0, 0, 1])]);
const BLOCK_BYTES = 32_768;
/** The format makes at most 64 bytes of 3: what claims more is damaged, and shall not take the memory. */
const MAX_GROWTH = 22;

/** Snappy as Kafka's Java clients frame it (xerial); reads blocks without frame, too, as librdkafka writes them. */
export const snappyCodec: CompressionCodec = {
  compress(data) {
    const parts: Uint8Array[] = [HEADER];
    for (let at = 0; at < data.length; at += BLOCK_BYTES) {
      const block = compress(data.subarray(at, at + BLOCK_BYTES));
      const length = Buffer.alloc(4);
      length.writeInt32BE(block.length);
      parts.push(length, block);
    }
    return Buffer.concat(parts);
  },

  decompress(data) {
    const source = Buffer.from(data.buffer, data.byteOffset, data.length);
    if (!source.subarray(0, MAGIC.length).equals(MAGIC)) return uncompress(source, MAX_GROWTH * source.length);
    const parts: Uint8Array[] = [];
    for (let at = HEADER.length; at < source.length;) {
      const length = source.readInt32BE(at);
      at += 4;
      if (length < 0 || length > source.length - at) throw new RangeError('a Snappy block goes beyond the end');
      parts.push(uncompress(source.subarray(at, at + length), MAX_GROWTH * length));
      at += length;
    }
    return Buffer.concat(parts);
  },
};
