import { decompress as decompressZstd } from 'fzstd';
import { registerCodecs } from '../../functions/channels/kafka/compression/register.ts';

/** Lets every reader of this process take whatever compression a topic was written with. */
export function registerReaders(): void {
  registerCodecs({
    snappy: async () => (await import('../../functions/channels/kafka/compression/snappy.ts')).snappyCodec,
    lz4: async () => (await import('../../functions/channels/kafka/compression/lz4.ts')).lz4Codec,
    zstd: async () => {
      const { hasZstd, zstdCodec } = await import('../../functions/channels/kafka/compression/zstd.ts');
      // Node before 22.15 has none; nothing in plain JavaScript compresses.
      return hasZstd ? zstdCodec : { ...zstdCodec, decompress: (data) => decompressZstd(data) };
    },
  });
}
