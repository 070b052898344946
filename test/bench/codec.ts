import { Packr } from 'msgpackr';
import { cloneValue } from '../../functions/codec/clone.ts';
import { FrameListWriter, type FrameReader, openFrame } from '../../functions/codec/frame.ts';
import { decodeValue, encodeValue } from '../../functions/codec/value.ts';
import { fragmentOf, taskOf } from '../../functions/shared/distribution.ts';
import { crc32c, crc32cOfText, murmur3_32, murmur3_32OfText } from '../../functions/shared/hash.ts';
import { parseKey, stateKey } from '../../functions/shared/key.ts';

/**
 * Nanoseconds a record of the frame codec, the copier and the hashes, beside msgpackr and JSON on the same objects: one core, medians of
 * interleaved rounds. Run with `node --import tsx test/bench/codec.ts [--json]`.
 *
 * Not measured: base64 and the body of the Lambda event around a frame (test/bench/floor.ts has them), values other than flat objects.
 */
const RECORDS = 1000;
const ROUNDS = 15;
const ROUND_MS = 30;

const bids = Array.from({ length: RECORDS }, (_, i) => ({
  auction: 1007 + i,
  bidder: 2031 + ((i * 31) % 500),
  price: 4312 + i * 7,
  channel: i % 3 === 0 ? 'Google' : 'Facebook',
  url: `https://www.nexmark.com/x/y/z/item.htm?query=${i % 10}`,
  dateTime: 1699999999999 + i,
  extra: 'lqjyzkwvnbgxrtmcupsoahdfeilqjyzkwvnbgxrtmcupsoahdfei' + String(10_000_000 + i),
}));
const keys = bids.map(({ bidder }) => `user-${String(bidder).padStart(11, '0')}`);
const keyBytes = keys.map((key) => Buffer.from(key));
const small = bids.map(({ auction, bidder, price }) => ({ count: auction, sum: bidder, max: price }));

function writeFrames(): Uint8Array[] {
  const writer = new FrameListWriter({ upstream: 'bids/bids-0@1', upstreamTasks: 4, maxBytes: 0x40000 });
  for (let i = 0; i < RECORDS; i++) {
    const bid = bids[i];
    if (!bid) continue;
    writer.step(bid.dateTime - (bid.dateTime % 200));
    writer.time(bid.dateTime, bid.dateTime, bid.dateTime);
    writer.add(i, 0, 0, bid.dateTime, 0, keys[i], bid);
  }
  return writer.finish(undefined);
}

function readFrames(frames: readonly Uint8Array[], take: (reader: FrameReader) => number): number {
  let sum = 0;
  for (const frame of frames) {
    const reader = openFrame(frame);
    while (reader.next()) sum += take(reader);
  }
  return sum;
}

const packr = new Packr({ useRecords: true, structures: [] as object[] });
const frames = writeFrames();
const packed = packr.pack(bids);
const json = Buffer.from(JSON.stringify(bids));
const encodedSmall = small.map(encodeValue);
const each = <T>(items: readonly T[], visit: (item: T) => number) => {
  return () => {
    let sum = 0;
    for (const item of items) sum += visit(item);
    return sum;
  };
};

const cases: Record<string, () => number> = {
  'frame write': () => writeFrames().length,
  'frame read': () => readFrames(frames, (reader) => (reader.value() as { price: number }).price),
  'frame skip': () => readFrames(frames, (reader) => reader.offset),
  'msgpackr write': () => packr.pack(bids).length,
  'msgpackr read': () => (packr.unpack(packed) as unknown[]).length,
  'JSON write': () => Buffer.from(JSON.stringify(bids)).length,
  'JSON read': () => (JSON.parse(json.toString()) as unknown[]).length,
  'value encode, 3 numbers': each(small, (value) => encodeValue(value).length),
  'value decode, 3 numbers': each(encodedSmall, (bytes) => (decodeValue(bytes) as { max: number }).max),
  'value encode, list of bids': () => encodeValue(bids).length,
  'clone, 3 numbers': each(small, (value) => cloneValue(value).max),
  'clone, bid': each(bids, (value) => cloneValue(value).price),
  'structuredClone, bid': each(bids, (value) => structuredClone(value).price),
  'murmur3, 16 bytes': each(keyBytes, (bytes) => murmur3_32(bytes)),
  'murmur3, 16 characters': each(keys, (text) => murmur3_32OfText(text)),
  'crc32c, 16 bytes': each(keyBytes, (bytes) => crc32c(bytes)),
  'crc32c, 16 characters': each(keys, (text) => crc32cOfText(text)),
  'task of a key': each(keys, (key) => taskOf(key, 128, 4)),
  'fragment of a key': each(keys, (key) => fragmentOf(key, 128, 16)),
  'parseKey and stateKey': each(keys, (key) => stateKey(parseKey(key)).length),
};

function timeOnce(run: () => number): number {
  const start = performance.now();
  let turns = 0;
  while (performance.now() - start < ROUND_MS) {
    for (let i = 0; i < 5; i++) sink += run();
    turns += 5;
  }
  return ((performance.now() - start) * 1e6) / turns / RECORDS;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

let sink = 0;
const times = new Map<string, number[]>();
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, run] of Object.entries(cases)) times.set(name, [...(times.get(name) ?? []), timeOnce(run)]);
}
const asJson = process.argv.includes('--json');
for (const [name, values] of times) {
  const value = Number(median(values).toFixed(1));
  console.log(
    asJson ? JSON.stringify({ name: `codec: ${name}`, value, unit: 'ns/record' }) : `${name.padEnd(30)}${value.toFixed(1).padStart(9)} ns`,
  );
}
const bytes = { frame: frames.reduce((sum, frame) => sum + frame.length, 0), msgpackr: packed.length, JSON: json.length };
if (!asJson)
  console.log(
    'bytes a record:',
    Object.entries(bytes)
      .map(([name, total]) => `${name} ${(total / RECORDS).toFixed(1)}`)
      .join(', '),
    sink === 0 ? '' : '',
  );
