import { describe, expect, test } from '@jest/globals';
import { FrameListWriter, openFrame } from '../../../../functions/codec/frame.ts';
import { options, readAll, readEntry } from './frames.ts';

describe('a reader', () => {
  const frameOf = (count: number): Uint8Array => {
    const writer = new FrameListWriter(options);
    for (let i = 1; i <= count; i++) writer.add(i, 0, 0, i, 0, i < 3 ? 'same' : `key ${i}`, { i, list: [i], text: `text ${i}` });
    return writer.finish(undefined)[0]!;
  };

  test('decodes a value anew with each call', () => {
    const reader = openFrame(frameOf(1));
    reader.next();
    const first = reader.value() as { list: number[] };
    first.list.push(99);

    expect(reader.value()).toEqual({ i: 1, list: [1], text: 'text 1' });
  });

  test('skips records and keys that nobody asks for', () => {
    const reader = openFrame(frameOf(5));
    reader.next();
    reader.next();
    expect(reader.key).toBe('same'); // written with the record before, which was skipped
    reader.next();
    reader.next();

    expect([reader.key, reader.value(), reader.position]).toEqual(['key 4', { i: 4, list: [4], text: 'text 4' }, 3]);
  });

  test('begins again after rewind', () => {
    const reader = openFrame(frameOf(3));
    const once = [];
    while (reader.next()) once.push(readEntry(reader));
    reader.rewind();
    const twice = [];
    while (reader.next()) twice.push(readEntry(reader));

    expect(twice).toStrictEqual(once);
    expect(twice).toHaveLength(3);
  });

  test('stays at its end', () => {
    const reader = openFrame(frameOf(1));

    expect([reader.next(), reader.next(), reader.next(), reader.offset]).toEqual([true, false, false, 1]);
  });

  test('shares no memory with the frame', () => {
    const writer = new FrameListWriter(options);
    writer.add(1, 0, 0, undefined, 0, new Uint8Array([1]), new Uint8Array([2]));
    const [frame] = writer.finish(undefined);
    const reader = openFrame(frame!);
    reader.next();
    const got = [reader.key, reader.value()];
    frame!.fill(0);

    expect(got).toStrictEqual([new Uint8Array([1]), new Uint8Array([2])]);
  });

  test('takes a frame that is a part of a larger buffer', () => {
    const frame = frameOf(3);
    const larger = Buffer.concat([Buffer.alloc(5), frame, Buffer.alloc(5)]);

    expect(readAll([new Uint8Array(larger.buffer, larger.byteOffset + 5, frame.length)])).toStrictEqual(readAll([frame]));
  });
});
