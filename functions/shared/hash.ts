/**
 * The two hashes of the distribution formulas, both over bytes and over the UTF-8 of a string. Own code, because it is faster than the
 * packages for keys of a few bytes (no call into native code); the results are the published ones, as the tests' vectors show.
 */

/** MurmurHash3 x86_32 as an unsigned number. */
export function murmur3_32(bytes: Uint8Array, seed = 0): number {
  const length = bytes.length;
  const end = length & ~3;
  let hash = seed | 0;
  let i = 0;
  for (; i < end; i += 4) {
    hash = mixBlock(hash, byte(bytes, i) | (byte(bytes, i + 1) << 8) | (byte(bytes, i + 2) << 16) | (byte(bytes, i + 3) << 24));
  }
  let tail = 0;
  for (let j = length - 1; j >= end; j--) tail = (tail << 8) | byte(bytes, j);
  return finish(hash, end < length ? tail : 0, length);
}

/** `murmur3_32` of the string's UTF-8; allocates nothing where the string is ASCII. */
export function murmur3_32OfText(text: string, seed = 0): number {
  const length = text.length;
  const end = length & ~3;
  let hash = seed | 0;
  let seen = 0;
  for (let i = 0; i < end; i += 4) {
    const a = text.charCodeAt(i);
    const b = text.charCodeAt(i + 1);
    const c = text.charCodeAt(i + 2);
    const d = text.charCodeAt(i + 3);
    seen |= a | b | c | d;
    hash = mixBlock(hash, a | (b << 8) | (c << 16) | (d << 24));
  }
  let tail = 0;
  for (let i = length - 1; i >= end; i--) {
    const unit = text.charCodeAt(i);
    seen |= unit;
    tail = (tail << 8) | unit;
  }
  return seen < 0x80 ? finish(hash, tail, length) : murmur3_32(Buffer.from(text), seed);
}

/** CRC-32C (Castagnoli) as an unsigned number. `previous` goes on from the CRC of the bytes before. */
export function crc32c(bytes: Uint8Array, previous = 0): number {
  const length = bytes.length;
  const end = length & ~7;
  let crc = ~previous;
  let i = 0;
  for (; i < end; i += 8) {
    const low = crc ^ (byte(bytes, i) | (byte(bytes, i + 1) << 8) | (byte(bytes, i + 2) << 16) | (byte(bytes, i + 3) << 24));
    crc = sliceBy8(low, byte(bytes, i + 4), byte(bytes, i + 5), byte(bytes, i + 6), byte(bytes, i + 7));
  }
  for (; i < length; i++) crc = (crc >>> 8) ^ table((crc ^ byte(bytes, i)) & 0xff);
  return ~crc >>> 0;
}

/** `crc32c` of the string's UTF-8; allocates nothing where the string is ASCII. */
export function crc32cOfText(text: string): number {
  const length = text.length;
  const end = length & ~7;
  let crc = -1;
  let seen = 0;
  let i = 0;
  for (; i < end; i += 8) {
    const a = text.charCodeAt(i);
    const b = text.charCodeAt(i + 1);
    const c = text.charCodeAt(i + 2);
    const d = text.charCodeAt(i + 3);
    const e = text.charCodeAt(i + 4);
    const f = text.charCodeAt(i + 5);
    const g = text.charCodeAt(i + 6);
    const h = text.charCodeAt(i + 7);
    seen |= a | b | c | d | e | f | g | h;
    if (seen >= 0x80) return crc32c(Buffer.from(text));
    crc = sliceBy8(crc ^ (a | (b << 8) | (c << 16) | (d << 24)), e, f, g, h);
  }
  for (; i < length; i++) {
    const unit = text.charCodeAt(i);
    seen |= unit;
    crc = (crc >>> 8) ^ table((crc ^ unit) & 0xff);
  }
  return seen < 0x80 ? ~crc >>> 0 : crc32c(Buffer.from(text));
}

function mixBlock(hash: number, block: number): number {
  const k = Math.imul(block, 0xcc9e2d51);
  const mixed = hash ^ Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(hash: number, tail: number, length: number): number {
  const k = Math.imul(tail, 0xcc9e2d51);
  let h = hash ^ Math.imul((k << 15) | (k >>> 17), 0x1b873593) ^ length;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Callers stay within the array's length, so that the default is never taken. */
function byte(bytes: Uint8Array, i: number): number {
  return bytes[i] as number;
}

/** Eight tables of 256: entry n of table k is the CRC of byte n followed by k zero bytes. */
const TABLES = buildTables();

function table(i: number): number {
  return TABLES[i] as number;
}

function sliceBy8(low: number, e: number, f: number, g: number, h: number): number {
  return (
    table(1792 + (low & 0xff)) ^
    table(1536 + ((low >>> 8) & 0xff)) ^
    table(1280 + ((low >>> 16) & 0xff)) ^
    table(1024 + (low >>> 24)) ^
    table(768 + e) ^
    table(512 + f) ^
    table(256 + g) ^
    table(h)
  );
}

function buildTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let n = 0; n < 256; n++) {
    let crc = n;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
    tables[n] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const previous = tables[i - 256] as number;
    tables[i] = (previous >>> 8) ^ (tables[previous & 0xff] as number);
  }
  return tables;
}
