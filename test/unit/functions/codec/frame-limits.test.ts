import { describe, expect, test } from '@jest/globals';
import { FrameListWriter, openFrame } from '../../../../functions/codec/frame.ts';
import { options, readAll } from './frames.ts';

describe('a record that is too large', () => {
  const tooLarge = expect.objectContaining({ code: 'MILLRACE_VALUE_TOO_LARGE' });
  const limited = { ...options, maxBytes: 500, maxRecordBytes: 1000 };

  test.each([
    ['text', 'x'.repeat(1001)],
    ['text beyond ASCII', '日'.repeat(334)],
    ['bytes', new Uint8Array(1001)],
    ['many items', Array.from({ length: 1001 }, () => 1)],
    ['keys', { ['k'.repeat(1001)]: 1 }],
    ['more than can be encoded at all', Array.from({ length: 3000 }, () => new Uint8Array(100_000))],
  ])('(%s) is refused, and leaves the writer as it was', (_, given) => {
    const writer = new FrameListWriter(limited);
    writer.add(1, 0, 0, 1, 0, 'k', { a: 1 });
    expect(() => writer.add(2, 0, 0, 2, 1, 'l', given)).toThrow(tooLarge);
    writer.add(2, 0, 0, 3, 0, 'k', { a: 2 });

    expect(readAll(writer.finish(undefined)).entries).toMatchObject([
      { origin: [1, 0, 0], timestamp: 1, tag: 0, key: 'k', value: { a: 1 } },
      { origin: [2, 0, 0], timestamp: 3, tag: 0, key: 'k', value: { a: 2 } },
    ]);
  });

  test.each([['x'.repeat(900)], ['日'.repeat(328)], ['\ud800'.repeat(330)]])('but within the limit has a frame of its own', (given) => {
    const writer = new FrameListWriter(limited);
    for (const [i, one] of ['a', given, 'b'].entries()) writer.add(i + 1, 0, 0, undefined, 0, undefined, one);
    const frames = writer.finish(undefined);

    expect(frames.map((frame) => openFrame(frame).count)).toEqual([1, 1, 1]);
    for (const frame of frames) expect(frame.length).toBeLessThan(1000 + 0x4000);
    expect(readAll(frames).entries.map((entry) => entry.value)).toEqual(['a', given, 'b']);
  });

  test('takes text of several bytes a character into account when it cuts', () => {
    const writer = new FrameListWriter({ ...options, maxBytes: 100_000, maxRecordBytes: 100_000 });
    for (let i = 1; i <= 1000; i++) writer.add(i, 0, 0, undefined, 0, undefined, '日本語テキスト'.repeat(20));

    for (const frame of writer.finish(undefined)) expect(frame.length).toBeLessThan(100_000 + 0x4000);
  });

  test('of 64 KiB and more is read', () => {
    const writer = new FrameListWriter(options);
    const values = ['a'.repeat(70_000), new Uint8Array(70_000).fill(7), { a: 'ü'.repeat(70_000) }];
    for (const [i, given] of values.entries()) writer.add(i + 1, 0, 0, i, 0, 'key', given);

    expect(readAll(writer.finish(undefined)).entries.map((entry) => entry.value)).toStrictEqual(values);
  });
});
