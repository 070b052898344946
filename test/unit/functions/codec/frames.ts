import { expect } from '@jest/globals';
import { type FrameReader, openFrame } from '../../../../functions/codec/frame.ts';
import type { Key } from '../../../../functions/shared/key.ts';

/** One record as a reader sees it. */
export interface Entry {
  readonly origin: readonly [offset: number, ordinal: number, emission: number];
  readonly timestamp: number | undefined;
  readonly tag: number;
  readonly key: Key | undefined;
  readonly value: unknown;
  /** Watermark that was told before it, if it had changed. */
  readonly step: number | undefined;
}

export interface Contents {
  readonly entries: Entry[];
  readonly last: number | undefined;
}

export const options = { upstream: 'stage/topic-0@1', upstreamTasks: 4, maxBytes: 0x40000 };

export function readEntry(reader: FrameReader): Entry {
  return {
    origin: [reader.offset, reader.ordinal, reader.emission],
    timestamp: reader.timestamp,
    tag: reader.tag,
    key: reader.key,
    value: reader.value(),
    step: reader.stepAt(reader.position),
  };
}

/** All records of a list of frames, and the last frame's final step; steps after the last record stand nowhere else. */
export function readAll(frames: readonly Uint8Array[]): Contents {
  const entries: Entry[] = [];
  let last: number | undefined;
  for (const frame of frames) {
    const reader = openFrame(frame);
    expect(last).toBeUndefined();
    while (reader.next()) entries.push(readEntry(reader));
    last = reader.stepAt(reader.count);
  }
  return { entries, last };
}
