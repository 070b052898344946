import { crc32 } from 'node:zlib';
import { CRC_BYTES, FRAME_MAGIC, PREAMBLE_BYTES } from '../../../functions/codec/frame-format.ts';
import { FrameListWriter, type FrameReader, idleFrame, openFrame, tickFrame } from '../../../functions/codec/frame.ts';
import { cloneValue } from '../../../functions/codec/clone.ts';
import { decodeValue, encodeValue } from '../../../functions/codec/value.ts';
import { isMillraceError } from '../../../functions/shared/errors.ts';
import { type Key, stateKey } from '../../../functions/shared/key.ts';
import { mutateBytes } from '../byte-mutator.ts';
import type { Random } from '../random.ts';
import { sealedTarget } from '../target.ts';
import { damaged } from '../value-mutator.ts';
import { VALUES } from './values.ts';

function framesOf(values: readonly unknown[], maxBytes: number): Buffer[] {
  const writer = new FrameListWriter({ upstream: 'a/b-0@1', upstreamTasks: 2, maxBytes });
  const keys: readonly (Key | undefined)[] = [
    'key',
    'key',
    'ключ',
    7,
    ['t', 1, new Uint8Array([1, 2])],
    new Uint8Array([9]),
    undefined,
    '',
  ];
  for (const [i, value] of values.entries()) {
    writer.time(1000 + i, 900, 1000);
    if (i % 3 === 0) writer.step(i * 200);
    writer.add(i >> 1, i & 1, i % 5, i % 4 ? 1_700_000_000_000 + i : undefined, i % 3, keys[i % keys.length], value);
  }
  return writer.finish(1e6).map((frame) => Buffer.from(frame));
}

const plain = Array.from({ length: 40 }, (_, i) => ({ id: i, name: `name ${i}`, ok: i % 2 === 0 }));

const corpus = [
  ...framesOf(VALUES, 0x100000),
  ...framesOf(VALUES, 600),
  ...framesOf(plain, 0x100000),
  ...framesOf(['ü', { ü: 'é'.repeat(70) }, ['🚀']], 0x100000),
  ...framesOf(['\ud83d', { half: '\ude80' }], 0x100000),
  Buffer.from(tickFrame('clock', 1_700_000_000_000)),
  Buffer.from(idleFrame('up/in-1@1', 4, 17)),
];

/** The frame as if somebody had written it so: its checksum is right, and whatever else stands there it begins as a frame. */
function seal(damaged: Buffer): Buffer {
  const frame = Buffer.concat([Buffer.from([FRAME_MAGIC]), damaged.subarray(1)]);
  if (frame.length >= CRC_BYTES) frame.writeUInt32LE(crc32(frame.subarray(0, frame.length - CRC_BYTES)), frame.length - CRC_BYTES);
  return frame;
}

/** Bytes anywhere, or the header's fields; or the bytes behind the header alone, as most inputs with a damaged header are refused at once. */
function mutate(input: Buffer, random: Random, others: readonly Buffer[]): Buffer {
  const kind = random();
  if (kind < 0.4) return mutateBytes(input, random, others);
  const end = PREAMBLE_BYTES + input.readUInt32LE(2);
  if (kind < 0.7)
    return Buffer.concat([input.subarray(0, end), sameLength(mutateBytes(input.subarray(end), random, others), input.length - end)]);
  const head = encodeValue(damaged(decodeValue(input.subarray(PREAMBLE_BYTES, end)), random, () => [1]));
  const made = Buffer.concat([input.subarray(0, PREAMBLE_BYTES), head, input.subarray(end)]);
  made.writeUInt32LE(head.length, 2);
  return made;
}

function sameLength(bytes: Buffer, length: number): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(length)]).subarray(0, length);
}

function use(frame: Buffer): void {
  const reader = openFrame(frame);
  const first = readAll(reader, frame.length);
  reader.rewind();
  // A record that cannot be read is tried again, and must change nothing for those behind it.
  const second = readAll(reader, frame.length);
  if (first.length !== second.length || first.some((bytes, i) => !bytes.equals(second[i] ?? Buffer.alloc(0))))
    throw new Error('the second reading of the frame gives something else');
}

function readAll(reader: FrameReader, length: number): Buffer[] {
  const seen: Buffer[] = [];
  while (reader.next()) {
    const { offset, ordinal, emission, tag, key } = reader;
    for (const count of [offset, ordinal, emission, tag, reader.upstreamTasks])
      if (!Number.isSafeInteger(count) || count < 0) throw new Error(`${count} is no count`);
    if (key !== undefined) stateKey(key);
    if (Number.isNaN(reader.stepAt(reader.position))) throw new Error('a watermark is NaN');
    seen.push(valueOf(reader));
    if (seen.length > length) throw new Error('more records than bytes');
  }
  return seen;
}

function valueOf(reader: FrameReader): Buffer {
  try {
    return Buffer.from(encodeValue(cloneValue(reader.value())));
  } catch (error) {
    if (!isMillraceError(error)) throw error;
    return Buffer.from(error.message);
  }
}

export const FRAMES = sealedTarget(
  { name: 'frames of a channel', corpus, parse: use, codes: ['MILLRACE_FRAME_CORRUPT', 'MILLRACE_FRAME_VERSION'] },
  seal,
  mutate,
);
