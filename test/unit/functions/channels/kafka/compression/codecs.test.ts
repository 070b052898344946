import { execFileSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decompress as decompressZstd } from 'fzstd';
import { lz4Codec } from '../../../../../../functions/channels/kafka/compression/lz4.ts';
import { compressBlock, decompressBlock } from '../../../../../../functions/channels/kafka/compression/lz4-block.ts';
import { snappyCodec } from '../../../../../../functions/channels/kafka/compression/snappy.ts';
import { hasZstd, zstdCodec } from '../../../../../../functions/channels/kafka/compression/zstd.ts';
import { bundleModule } from '../../../../../../infra/bundling.ts';
import { node24Path } from '../../../../../helpers/node24.ts';

const CODECS = [
  ['lz4', lz4Codec],
  ['snappy', snappyCodec],
] as const;

/** Runs that repeat, near and far, with noise between: what finds matches, and their ends, in every place. */
const repetitive = fc
  .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 400 })), { maxLength: 40 })
  .map((runs) => Buffer.concat(runs.flatMap(([bytes, times]) => Array.from({ length: times }, () => bytes))));

describe.each(CODECS)('%s', (_, codec) => {
  test('gives back what it was given', () => {
    fc.assert(
      fc.property(fc.oneof(repetitive, fc.uint8Array({ maxLength: 500 })), (data) => {
        expect(Buffer.from(codec.decompress(codec.compress(data))).equals(data)).toBe(true);
      }),
    );
  });

  test('makes text of several blocks much smaller, and what can’t be compressed hardly larger', () => {
    const text = Buffer.from(JSON.stringify(Array.from({ length: 20_000 }, (_, i) => ({ id: i, customer: `c${i % 50}` }))));
    const noise = Buffer.alloc(200_000);
    for (let i = 0, seed = 1; i < noise.length; i++) noise[i] = (seed = Math.imul(seed, 1_103_515_245) + 12_345) >>> 16;

    expect(codec.compress(text).length).toBeLessThan(text.length / 2);
    expect(codec.compress(noise).length).toBeLessThan(noise.length * 1.01);
    expect(Buffer.from(codec.decompress(codec.compress(noise))).equals(noise)).toBe(true);
  });

  test('damaged bytes throw, or give others, and never hang', () => {
    const whole = codec.compress(Buffer.from('abcdefgh'.repeat(2000) + 'tail'));
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 }), fc.nat(whole.length), (at, value, length) => {
        const damaged = Buffer.from(whole).subarray(0, length);
        if (at < length) damaged[at] = value;
        try {
          expect(codec.decompress(damaged).length).toBeLessThan(200_000_000);
        } catch (error) {
          expect(error).toHaveProperty('message'); // Node's own errors are of another realm here
        }
      }),
    );
  });
});

test('a frame of LZ4 begins as Kafka wants it', () => {
  expect([...lz4Codec.compress(Buffer.from('a')).subarray(0, 7)]).toEqual([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82]);
});

test('an LZ4 block that would grow beyond its bound is refused', () => {
  const block = compressBlock(Buffer.alloc(100_000));

  expect(decompressBlock(block, 100_000)).toHaveLength(100_000);
  expect(() => decompressBlock(block, 99_999)).toThrow(RangeError);
});

test('Snappy without a frame, as librdkafka writes it, is read', () => {
  const framed = Buffer.from(snappyCodec.compress(Buffer.from('abc'.repeat(50))));

  expect(Buffer.from(snappyCodec.decompress(framed.subarray(20))).toString()).toBe('abc'.repeat(50));
});

describe('zstd', () => {
  const text = 'abcdefgh'.repeat(5000);

  test('comes back where Node has it, and else names the Node that it needs', () => {
    if (hasZstd) {
      expect(Buffer.from(zstdCodec.decompress(zstdCodec.compress(Buffer.from(text)))).toString()).toBe(text);
      return;
    }
    expect(() => zstdCodec.compress(Buffer.from(text))).toThrow(
      expect.objectContaining({ code: 'MILLRACE_CONFIG_INVALID', message: expect.stringContaining('needs Node.js 22.15 or newer') }),
    );
  });

  const node24 = node24Path();
  (node24 === undefined ? test.skip : test)('is what Lambda’s Node makes of it', async () => {
    const code = await bundleModule('functions/channels/kafka/compression/zstd.ts');
    const run = `${code}\nprocess.stdout.write(module.exports.zstdCodec.compress(Buffer.from('abcdefgh'.repeat(5000))));`;

    const compressed = execFileSync(node24 ?? '', ['-'], { input: run });

    expect(compressed.length).toBeLessThan(1000);
    expect(Buffer.from(decompressZstd(compressed)).toString()).toBe(text);
  });
});
