/**
 * Whatever is written, taken back and cut, a reader sees the records that were kept, in order, each after the watermark that stood before
 * it. Random lists of calls are checked against a list in memory that does the same in the plainest way.
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type FrameListMark, FrameListWriter, idleFrame, openFrame, tickFrame } from '../../../../functions/codec/frame.ts';
import type { Key } from '../../../../functions/shared/key.ts';
import { key, number, value } from './arbitraries.ts';
import { type Contents, type Entry, options, readAll } from './frames.ts';

type Call =
  | {
      readonly call: 'add';
      readonly gap: readonly [number, number, number];
      readonly timestamp: number | undefined;
      readonly tag: number;
      readonly key: Key | undefined;
      readonly value: unknown;
    }
  | { readonly call: 'step'; readonly watermark: number }
  | { readonly call: 'mark' }
  | { readonly call: 'reset' }
  | { readonly call: 'fail'; readonly value: unknown };

const watermark = fc.oneof(fc.constantFrom(-Infinity, 0, 200, 400), fc.maxSafeInteger(), fc.constant(Infinity));
const gap = fc.oneof(
  fc.constant([1, 0, 0] as const),
  fc.constant([0, 0, 1] as const),
  fc.tuple(fc.constantFrom(0, 0, 1, 2, 300, 2 ** 32), fc.nat(300), fc.nat(300)),
);
const record = fc.record(
  { a: fc.integer(), name: fc.string(), nested: fc.record({ x: fc.double() }, { noNullPrototype: true }) },
  { noNullPrototype: true },
);
const add = fc.record({
  call: fc.constant('add' as const),
  gap,
  timestamp: fc.oneof(
    fc.constantFrom(undefined, 1_700_000_000_000, 1_700_000_000_001),
    number.map((n) => n + 0),
  ),
  tag: fc.oneof(fc.constantFrom(0, 1), fc.nat(1000)),
  key: fc.option(key, { nil: undefined }),
  value: fc.oneof(record, value),
});
const call: fc.Arbitrary<Call> = fc.oneof(
  { weight: 8, arbitrary: add },
  { weight: 2, arbitrary: fc.record({ call: fc.constant('step' as const), watermark }) },
  { weight: 2, arbitrary: fc.record({ call: fc.constantFrom('mark' as const, 'reset' as const) }) },
  { weight: 1, arbitrary: fc.record({ call: fc.constant('fail' as const), value: record }) },
);

/** What the writer is for, with arrays. */
class Model {
  private entries: Entry[] = [];
  private noted = -Infinity;
  private sent = -Infinity;
  private marked: readonly [Entry[], number, number] = [[], -Infinity, -Infinity];

  origin([offset, ordinal, emission]: readonly [number, number, number]): readonly [number, number, number] {
    const last = this.entries.at(-1)?.origin ?? [0, 0, -1];
    if (offset > 0) return [last[0] + offset, ordinal, emission];
    if (ordinal > 0) return [last[0], last[1] + ordinal, emission];
    return [last[0], last[1], last[2] + 1 + emission];
  }

  add(entry: Omit<Entry, 'step'>): void {
    this.entries = [...this.entries, { ...entry, step: this.noted === this.sent ? undefined : this.noted }];
    this.sent = this.noted;
  }

  step(to: number): void {
    this.noted = to;
  }

  mark(): void {
    this.marked = [this.entries, this.noted, this.sent];
  }

  reset(): void {
    [this.entries, this.noted, this.sent] = this.marked;
  }

  finish(final: number | undefined): Contents {
    const last = final ?? this.noted;
    return { entries: this.entries, last: last === this.sent ? undefined : last };
  }
}

function play(calls: readonly Call[], writer: FrameListWriter, model: Model): void {
  let mark: FrameListMark = writer.mark();
  for (const one of calls) {
    if (one.call === 'add') {
      const origin = model.origin(one.gap);
      if (!Number.isSafeInteger(origin[0])) continue;
      writer.add(...origin, one.timestamp, one.tag, one.key, one.value);
      model.add({ origin, timestamp: one.timestamp, tag: one.tag, key: one.key, value: one.value });
    } else if (one.call === 'step') {
      writer.step(one.watermark);
      model.step(one.watermark);
    } else if (one.call === 'fail') {
      expect(() =>
        writer.add(...model.origin([5, 5, 5]), 5, 5, 'failing', { ...(one.value as object), other: 'text', f: () => 1 }),
      ).toThrow();
    } else if (one.call === 'mark') {
      mark = writer.mark();
      model.mark();
    } else {
      writer.reset(mark);
      model.reset();
    }
  }
}

describe('a list of frames', () => {
  test('holds what was kept, wherever it is cut', () => {
    fc.assert(
      fc.property(
        fc.array(call, { maxLength: 40 }),
        fc.option(watermark, { nil: undefined }),
        fc.constantFrom(1, 100, 400, 0x40000),
        (calls, final, maxBytes) => {
          const writer = new FrameListWriter({ ...options, maxBytes });
          const model = new Model();
          play(calls, writer, model);

          expect(readAll(writer.finish(final))).toStrictEqual(model.finish(final));
        },
      ),
      { numRuns: 250 },
    );
  });

  test('is byte for byte that of the kept records alone', () => {
    fc.assert(
      fc.property(
        fc.array(add, { maxLength: 10 }),
        fc.array(call, { maxLength: 20 }),
        fc.array(add, { maxLength: 10 }),
        fc.constantFrom(100, 0x40000),
        (before, undone, after, maxBytes) => {
          const [plain, other] = [new FrameListWriter({ ...options, maxBytes }), new FrameListWriter({ ...options, maxBytes })];
          const [model, otherModel] = [new Model(), new Model()];
          play(before, plain, model);
          play(after, plain, model);
          play(before, other, otherModel);
          play([{ call: 'mark' }, ...undone.filter((one) => one.call !== 'mark'), { call: 'reset' }, ...after], other, otherModel);

          expect(other.finish(5)).toStrictEqual(plain.finish(5));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('is empty without a record and a watermark', () => {
    const writer = new FrameListWriter(options);
    expect(writer.finish(undefined)).toEqual([]);
    expect(writer.finish(-Infinity)).toEqual([]);
  });

  test('is one empty frame if there is only a watermark', () => {
    const writer = new FrameListWriter(options);
    writer.time(7, 5, 6);
    const [frame, ...others] = writer.finish(Infinity);
    const reader = openFrame(frame!);

    expect(others).toEqual([]);
    expect(reader.next()).toBe(false);
    expect(reader).toMatchObject({
      upstream: 'stage/topic-0@1',
      upstreamTasks: 4,
      count: 0,
      firstTime: 7,
      lastTime: 7,
      ingestFirst: 5,
      ingestLast: 6,
    });
    expect(reader.steps).toEqual([{ position: 0, watermark: Infinity }]);
  });

  test('keeps what a value was when it was added', () => {
    const writer = new FrameListWriter(options);
    const order = { items: ['a'] };
    writer.add(1, 0, 0, undefined, 0, undefined, order);
    order.items.push('b');

    expect(readAll(writer.finish(undefined)).entries[0]?.value).toEqual({ items: ['a'] });
  });

  test('gives each frame the times of its own records', () => {
    const writer = new FrameListWriter({ ...options, maxBytes: 1 });
    writer.time(10, 3, 4);
    writer.add(1, 0, 0, undefined, 0, undefined, 'a');
    writer.time(20, 1, 9);
    writer.add(2, 0, 0, undefined, 0, undefined, 'b');
    const mark = writer.mark();
    writer.time(30, 0, 99);
    writer.add(3, 0, 0, undefined, 0, undefined, 'c');
    writer.reset(mark);

    expect(writer.finish(undefined).map(openFrame)).toMatchObject([
      { count: 1, firstTime: 10, lastTime: 10, ingestFirst: 3, ingestLast: 4 },
      { count: 1, firstTime: 20, lastTime: 20, ingestFirst: 1, ingestLast: 9 },
    ]);
  });

  test('spans the times of all records of a frame', () => {
    const writer = new FrameListWriter(options);
    for (const [i, [time, first, last]] of (
      [
        [10, 3, 4],
        [20, 1, 2],
        [15, 2, 9],
      ] as const
    ).entries()) {
      writer.time(time, first, last);
      writer.add(i + 1, 0, 0, undefined, 0, undefined, i);
    }

    expect(writer.finish(undefined).map(openFrame)).toMatchObject([
      { firstTime: 10, lastTime: 15, ingestFirst: 1, ingestLast: 9, count: 3 },
    ]);
  });

  test('has no frame over its size but that of a single record', () => {
    const writer = new FrameListWriter({ ...options, maxBytes: 1000 });
    for (let i = 1; i <= 200; i++) writer.add(i, 0, 0, undefined, 0, `k${i}`, 'x'.repeat(i % 20 === 0 ? 3000 : 70));
    const frames = writer.finish(undefined);

    expect(frames.length).toBeGreaterThan(20);
    for (const frame of frames) expect(frame.length < 1200 || openFrame(frame).count === 1).toBe(true);
    expect(readAll(frames).entries).toHaveLength(200);
  });

  test('refuses origins that do not ascend, and stays as it was', () => {
    const writer = new FrameListWriter(options);
    writer.add(5, 2, 1, undefined, 0, undefined, 'a');

    for (const origin of [
      [5, 2, 1],
      [5, 2, 0],
      [5, 1, 9],
      [4, 9, 9],
      [NaN, 0, 0],
      [6, -1, 0],
      [6, 0, -1],
    ] as [number, number, number][]) {
      expect(() => writer.add(...origin, undefined, 0, undefined, 'b')).toThrow(RangeError);
    }
    expect(readAll(writer.finish(undefined)).entries).toHaveLength(1);
  });
});

test('a tick carries time and nothing else', () => {
  expect(openFrame(tickFrame('clock', 5))).toMatchObject({
    upstream: 'clock',
    upstreamTasks: 0,
    firstTime: 5,
    lastTime: 5,
    count: 0,
    steps: [],
  });
});

test('a declaration of idleness names the task and the offset', () => {
  const frame = openFrame(idleFrame('a/in-1@1', 4, 7));

  expect(frame).toMatchObject({ upstream: 'a/in-1@1', upstreamTasks: 4, idleFrom: 7, count: 0, steps: [] });
  expect(openFrame(idleFrame('a/in-1@1', 4, 0)).idleFrom).toBe(0);
  expect(openFrame(tickFrame('clock', 5)).idleFrom).toBeUndefined();
  expect(() => openFrame(idleFrame('a/in-1@1', 4, -1))).toThrow(expect.objectContaining({ code: 'MILLRACE_FRAME_CORRUPT' }));
});
