import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { crc32 } from 'node:zlib';
import { FRAME_VERSION, FrameListWriter, openFrame } from '../../../../functions/codec/frame.ts';
import { isMillraceError } from '../../../../functions/shared/errors.ts';
import { value } from './arbitraries.ts';

const corrupt = expect.objectContaining({ code: 'MILLRACE_FRAME_CORRUPT' });

function frameOf(values: readonly unknown[]): Uint8Array {
  const writer = new FrameListWriter({ upstream: 'a/b-0@1', upstreamTasks: 2, maxBytes: 0x100000 });
  for (const [i, one] of values.entries()) {
    writer.step(i);
    writer.add(i + 1, 0, 0, i, i % 2, i % 3 ? `key ${i}` : ['tuple', i], one);
  }
  return writer.finish(100)[0]!;
}

/** The frame with a right checksum, as if somebody else had written it. */
function sealed(frame: Uint8Array): Buffer {
  const copy = Buffer.from(frame);
  const end = Math.max(0, copy.length - 4);
  if (copy.length >= 4) copy.writeUInt32LE(crc32(copy.subarray(0, end)), end);
  return copy;
}

function readsOrRefuses(frame: Uint8Array): void {
  try {
    const reader = openFrame(frame);
    let records = 0;
    while (reader.next()) {
      [reader.key, reader.value()].forEach(() => undefined);
      // Every record takes bytes of its own, so a forged count ends soon.
      expect(++records).toBeLessThanOrEqual(frame.length);
    }
    reader.stepAt(0);
  } catch (error) {
    if (!isMillraceError(error, 'MILLRACE_FRAME_CORRUPT') && !isMillraceError(error, 'MILLRACE_FRAME_VERSION')) throw error;
  }
}

describe('a damaged frame', () => {
  const frame = frameOf([{ a: 1, b: 'text' }, { a: 2, b: 'ü' }, [1.5, null]]);

  test('is refused whichever bit is flipped', () => {
    for (let bit = 0; bit < 8 * frame.length; bit++) {
      const damaged = Buffer.from(frame);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => openFrame(damaged)).toThrow(corrupt);
    }
  });

  test('is refused wherever it is cut off', () => {
    for (let length = 0; length < frame.length; length++) expect(() => openFrame(frame.subarray(0, length))).toThrow(corrupt);
  });

  test('is refused with bytes behind it', () => {
    expect(() => openFrame(Buffer.concat([frame, Buffer.alloc(1)]))).toThrow(corrupt);
  });

  test('says what it is, and what may have happened', () => {
    expect(() => openFrame(Buffer.from('{"json":true}'))).toThrow(/its 13 bytes are no frame.*Nothing but Millrace may write to a channel/);
  });
});

test('a frame of a later format is refused with what to do', () => {
  const later = Buffer.from(frameOf([1]));
  later[1] = FRAME_VERSION + 1;

  expect(() => openFrame(sealed(later))).toThrow(
    expect.objectContaining({
      code: 'MILLRACE_FRAME_VERSION',
      message: 'the frame has format 2, this stage reads format 1; deploy the stages that read a channel before those that write to it.',
    }),
  );
});

describe('a forged frame with a right checksum gives values or a coded error', () => {
  test('for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) =>
        readsOrRefuses(sealed(Buffer.concat([Buffer.from([0x4d, FRAME_VERSION]), bytes]))),
      ),
      { numRuns: 3000 },
    );
  });

  test('for a frame with some bytes changed', () => {
    const change = fc.tuple(fc.nat(), fc.nat(255));
    fc.assert(
      fc.property(fc.array(value, { maxLength: 3 }), fc.array(change, { minLength: 1, maxLength: 4 }), (values, changes) => {
        const frame = Buffer.from(frameOf(values));
        for (const [place, byte] of changes) frame[2 + (place % (frame.length - 2))] = byte;
        readsOrRefuses(sealed(frame));
      }),
      { numRuns: 300 },
    );
  });
});
