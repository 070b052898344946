import * as zlib from 'node:zlib';
import { MillraceError } from '../../../shared/errors.ts';
import type { CompressionCodec } from './codec.ts';

/** Node has both from 22.15 on; its types for 20 do not. */
interface Zstd {
  readonly zstdCompressSync?: (data: Uint8Array) => Uint8Array;
  readonly zstdDecompressSync?: (data: Uint8Array) => Uint8Array;
}

const { zstdCompressSync, zstdDecompressSync } = zlib as Zstd;

/** Zstandard by Node itself. @throws MILLRACE_CONFIG_INVALID on a Node that lacks it. */
export const zstdCodec: CompressionCodec = {
  compress: (data) => available(zstdCompressSync)(data),
  decompress: (data) => available(zstdDecompressSync)(data),
};

export const hasZstd = zstdDecompressSync !== undefined;

function available<F>(found: F | undefined): F {
  if (found !== undefined) return found;
  throw new MillraceError(
    'MILLRACE_CONFIG_INVALID',
    `compression 'zstd' needs Node.js 22.15 or newer, as Lambda's nodejs22.x and nodejs24.x are, and this is ${process.versions.node}: run it on a ` +
      "newer one, or use 'lz4'",
  );
}
