/**
 * LZ4's block format: sequences of literals and a copy of what stands up to 64 KiB before. No package in plain JavaScript is kept up, and the
 * frames of the one that there is are refused by Kafka; native code cannot be bundled.
 *
 * @see https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
 */

const MIN_MATCH = 4;
/** The last bytes of a block are literals, and no match begins in the last twelve. */
const LAST_LITERALS = 5;
const MATCH_LIMIT = 12;
const MAX_DISTANCE = 65_535;
const HASH_BITS = 14;
/** After so many places without a match, look at every second, and so on: data that can't be compressed costs little. */
const SKIP_SHIFT = 6;

/** Compresses up to 4 MiB. What can't be compressed becomes a little longer. */
export function compressBlock(source: Uint8Array): Uint8Array {
  const target = new BlockWriter(source);
  const table = new Int32Array(1 << HASH_BITS).fill(-1);
  const limit = source.length - MATCH_LIMIT;
  let [anchor, at, tries] = [0, 0, 1 << SKIP_SHIFT];
  while (at <= limit) {
    const word = wordAt(source, at);
    const slot = Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);
    const found = table[slot] ?? -1;
    table[slot] = at;
    if (found < 0 || at - found > MAX_DISTANCE || wordAt(source, found) !== word) {
      at += tries++ >> SKIP_SHIFT;
      continue;
    }
    const end = matchEnd(source, found + MIN_MATCH, at + MIN_MATCH);
    target.sequence(anchor, at, at - found, end - at);
    at = anchor = end;
    tries = 1 << SKIP_SHIFT;
  }
  return target.finish(anchor);
}

function wordAt(source: Uint8Array, at: number): number {
  return byte(source, at) | (byte(source, at + 1) << 8) | (byte(source, at + 2) << 16) | (byte(source, at + 3) << 24);
}

function byte(source: Uint8Array, at: number): number {
  return source[at] ?? 0;
}

/** Where what stands at `at` is no longer the same as at `found`. */
function matchEnd(source: Uint8Array, found: number, at: number): number {
  const limit = source.length - LAST_LITERALS;
  while (at < limit && source[found] === source[at]) {
    found++;
    at++;
  }
  return at;
}

class BlockWriter {
  private readonly source: Uint8Array;
  private readonly target: Uint8Array;
  private at = 0;

  constructor(source: Uint8Array) {
    this.source = source;
    this.target = new Uint8Array(source.length + Math.ceil(source.length / 255) + 16);
  }

  /** Literals from `anchor` to `end`, then a copy of `length` bytes from `distance` before. */
  sequence(anchor: number, end: number, distance: number, length: number): void {
    this.literals(anchor, end, length - MIN_MATCH);
    this.target[this.at++] = distance & 0xff;
    this.target[this.at++] = distance >> 8;
    if (length - MIN_MATCH >= 15) this.rest(length - MIN_MATCH - 15);
  }

  finish(anchor: number): Uint8Array {
    this.literals(anchor, this.source.length, 0);
    return this.target.subarray(0, this.at);
  }

  private literals(anchor: number, end: number, copied: number): void {
    const count = end - anchor;
    this.target[this.at++] = (Math.min(count, 15) << 4) | Math.min(copied, 15);
    if (count >= 15) this.rest(count - 15);
    this.target.set(this.source.subarray(anchor, end), this.at);
    this.at += count;
  }

  /** What of a length does not fit into its four bits. */
  private rest(length: number): void {
    for (; length >= 255; length -= 255) this.target[this.at++] = 255;
    this.target[this.at++] = length;
  }
}

/** @throws RangeError for bytes that are no block, or one of more than `maxBytes`. */
export function decompressBlock(source: Uint8Array, maxBytes: number): Uint8Array {
  let target = new Uint8Array(Math.min(maxBytes, Math.max(1024, source.length * 4)));
  let [at, end] = [0, 0];
  const next = (): number => {
    const value = source[at++];
    if (value === undefined) throw new RangeError('an LZ4 block ends too soon');
    return value;
  };
  const lengthOf = (bits: number): number => {
    let length = bits;
    for (let more = bits === 15 ? 255 : 0; more === 255;) {
      more = next();
      length += more;
    }
    return length;
  };
  const reserve = (bytes: number): void => {
    if (end + bytes > maxBytes) throw new RangeError(`an LZ4 block of more than ${maxBytes} bytes`);
    if (end + bytes <= target.length) return;
    const larger = new Uint8Array(Math.min(maxBytes, Math.max(end + bytes, target.length * 2)));
    larger.set(target.subarray(0, end));
    target = larger;
  };
  while (at < source.length) {
    const token = next();
    const literals = lengthOf(token >> 4);
    if (literals > source.length - at) throw new RangeError('literals of an LZ4 block go beyond its end');
    reserve(literals);
    target.set(source.subarray(at, at + literals), end);
    at += literals;
    end += literals;
    if (at === source.length) break; // the last sequence has no copy
    const distance = next() | (next() << 8);
    if (distance === 0 || distance > end) throw new RangeError('an LZ4 block copies from before its begin');
    const length = lengthOf(token & 15) + MIN_MATCH;
    reserve(length);
    // Byte by byte: what is copied may overlap with where it goes.
    for (const stop = end + length; end < stop; end++) target[end] = byte(target, end - distance);
  }
  return target.subarray(0, end);
}
