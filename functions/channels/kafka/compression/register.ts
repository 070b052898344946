// By its default export: Node.js finds no such name in a CommonJS module of this form.
import kafkajs from 'kafkajs';
import { type CompressionCodecs, compressionNumber, type KafkaCompression } from './codec.ts';

/** What kafkajs asks of a codec; the records come in its own buffer. */
interface ClientCodec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(data: Buffer): Promise<Buffer>;
}

/** Lets kafkajs, all of its clients in this process, use these codecs. */
export function registerCodecs(codecs: CompressionCodecs): void {
  const table = kafkajs.CompressionCodecs as Record<number, () => ClientCodec>;
  for (const [name, open] of Object.entries(codecs)) {
    table[compressionNumber(name as KafkaCompression)] = () => ({
      compress: async ({ buffer }) => toBuffer((await open()).compress(buffer)),
      decompress: async (data) => toBuffer((await open()).decompress(data)),
    });
  }
}

function toBuffer({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}
