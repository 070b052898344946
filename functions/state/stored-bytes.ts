import { deflateSync, inflateSync } from 'node:zlib';
import { stateCorrupt } from './stored-value.ts';

/** Less than this is stored as it is: it fits into a packet anyway. */
const MIN_BYTES = 1024;

/** Deflating what has little to gain takes ten times as long as the rest of a commit's work: a piece from the middle tells. */
const SAMPLE_BYTES = 4096;

/** A zlib stream begins with this byte, an encoded value never does. */
const ZLIB = 0x78;

/** What can at most have been deflated to a byte, and the largest value that is encoded: a forged stream can't fill the memory. */
const MAX_RATIO = 1032;
const MAX_BYTES = 2 ** 28;

/** An encoded value as it goes into the store: deflated, at the quickest level, where that makes less than half of it. */
export function toStored(bytes: Uint8Array): Uint8Array {
  if (bytes.length < MIN_BYTES) return bytes;
  const middle = Math.max(0, (bytes.length - SAMPLE_BYTES) >> 1);
  return halved(bytes.subarray(middle, middle + SAMPLE_BYTES)) ? (halved(bytes) ?? bytes) : bytes;
}

function halved(bytes: Uint8Array): Uint8Array | undefined {
  const deflated = deflateSync(bytes, { level: 1 });
  return deflated.length < bytes.length / 2 ? deflated : undefined;
}

/** What `toStored` was given. @throws MILLRACE_STATE_CORRUPT, which calls it `what` */
export function fromStored(stored: Uint8Array, what: string): Uint8Array {
  if (stored[0] !== ZLIB) return stored;
  try {
    return inflateSync(stored, { maxOutputLength: Math.min(MAX_BYTES, (stored.length + 1) * MAX_RATIO) });
  } catch (cause) {
    throw stateCorrupt(what, `its ${stored.length} bytes are deflated, but damaged`, cause);
  }
}
