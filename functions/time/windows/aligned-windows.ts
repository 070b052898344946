import { type NamedWindow, timeWindow } from './window.ts';

/** Start of the last window at or before a timestamp, of those that begin every `slide` ms, moved by `offset`. */
export function windowStart(timestamp: number, slide: number, offset: number): number {
  const into = (timestamp - offset) % slide;
  return timestamp - (into < 0 ? into + slide : into);
}

/** Gives the windows that a timestamp falls in, the last first (Flink's order). None, where windows leave gaps. */
export type AlignedWindows = (timestamp: number) => readonly NamedWindow[];

/** Windows of `size` ms that begin every `slide` ms. Neighbors in time are mostly in the same ones, which are then made once. */
export function alignedWindows(size: number, slide: number, offset: number): AlignedWindows {
  let from = Infinity;
  let until = -Infinity;
  let windows: readonly NamedWindow[] = [];
  return (timestamp) => {
    if (timestamp >= from && timestamp < until) return windows;
    const last = windowStart(timestamp, slide, offset);
    const made: NamedWindow[] = [];
    for (let start = last; start > timestamp - size; start -= slide) made.push(timeWindow(start, start + size));
    // The same windows hold until the next one begins or the first of these ends.
    const first = made.at(-1);
    from = Math.max(last, first === undefined ? last : first.end - slide);
    until = Math.min(last + slide, first?.end ?? Infinity);
    if (first === undefined) from = timestamp;
    windows = made;
    return made;
  };
}
