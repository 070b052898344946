import { COMPRESSIONS } from '../../../graph/compression.ts';

export type KafkaCompression = (typeof COMPRESSIONS)[number];

/** Kafka's number of a compression: the lowest three bits of a record batch's attributes. */
export function compressionNumber(compression: KafkaCompression): number {
  return COMPRESSIONS.indexOf(compression);
}

/** Compresses the records of a batch. `decompress` throws a RangeError or what its library throws for bytes that are damaged. */
export interface CompressionCodec {
  compress(data: Uint8Array): Uint8Array;
  decompress(data: Uint8Array): Uint8Array;
}

/** Codecs that kafkajs does not have, each loaded when it is first used. */
export type CompressionCodecs = Readonly<Partial<Record<KafkaCompression, () => Promise<CompressionCodec>>>>;
