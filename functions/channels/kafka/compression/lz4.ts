import { compressBlock, decompressBlock } from './lz4-block.ts';
import type { CompressionCodec } from './codec.ts';

const MAGIC = 0x184d2204;
/** Version 1, blocks that stand alone, no checksums: what Kafka's clients write; they read nothing with blocks that depend on others. */
const FLAGS = 0x60;
/** Blocks of up to 64 KiB. */
const BLOCK_SIZE = 0x40;
/** Second byte of the xxHash32 of the two bytes above. */
const HEADER_CHECKSUM = 0x82;
const BLOCK_BYTES = 65_536;
const IS_STORED = 0x80000000;

const HAS_BLOCK_CHECKSUMS = 0x10;
const HAS_CONTENT_SIZE = 0x08;
const HAS_CONTENT_CHECKSUM = 0x04;
const HAS_DICTIONARY = 0x01;

/** Largest block that the format knows. */
const MAX_BLOCK_BYTES = 4 * 1024 * 1024;

/** The LZ4 frame format, as Kafka has it since message format 1. Checksums are passed over: a record batch has one of its own. */
export const lz4Codec: CompressionCodec = {
  compress(data) {
    const header = Buffer.alloc(7);
    header.writeUInt32LE(MAGIC);
    header.set([FLAGS, BLOCK_SIZE, HEADER_CHECKSUM], 4);
    const parts: Uint8Array[] = [header];
    for (let at = 0; at < data.length; at += BLOCK_BYTES) {
      const block = data.subarray(at, at + BLOCK_BYTES);
      const compressed = compressBlock(block);
      const isSmaller = compressed.length < block.length;
      parts.push(uint32(isSmaller ? compressed.length : block.length | IS_STORED), isSmaller ? compressed : block);
    }
    return Buffer.concat([...parts, uint32(0)]);
  },

  decompress(data) {
    const source = Buffer.from(data.buffer, data.byteOffset, data.length);
    if (source.readUInt32LE(0) !== MAGIC) throw new RangeError('this is no LZ4 frame');
    const flags = source.readUInt8(4);
    let at = 7 + (flags & HAS_CONTENT_SIZE ? 8 : 0) + (flags & HAS_DICTIONARY ? 4 : 0);
    const blocks: Uint8Array[] = [];
    for (;;) {
      const size = source.readUInt32LE(at);
      at += 4;
      if (size === 0) break;
      const length = size & ~IS_STORED;
      if (length > source.length - at) throw new RangeError('an LZ4 block goes beyond the end');
      const block = source.subarray(at, at + length);
      blocks.push(size & IS_STORED ? block : decompressBlock(block, MAX_BLOCK_BYTES));
      at += length + (flags & HAS_BLOCK_CHECKSUMS ? 4 : 0);
    }
    if (flags & HAS_CONTENT_CHECKSUM) at += 4;
    if (at > source.length) throw new RangeError('an LZ4 frame goes beyond the end');
    return Buffer.concat(blocks);
  },
};

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}
