/** What windows have to put out, computed from arrays and sorts: nothing here is the engine's. */
import type { Fired, Reading } from './run-windows.ts';

/** Windows of a reading as [start, end), the last first. */
export type Assign = (at: number) => readonly (readonly [start: number, end: number])[];

/** All windows of this length, beginning each `slide` ms, tried one by one. */
export function aligned(size: number, slide = size, offset = 0): Assign {
  return (at) => {
    const found: [number, number][] = [];
    for (let start = offset - 1000 * slide; start <= at; start++) {
      if ((((start - offset) % slide) + slide) % slide === 0 && at < start + size) found.push([start, start + size]);
    }
    return found.reverse();
  };
}

interface Open {
  readonly key: string;
  start: number;
  end: number;
  readonly elements: Reading[];
  /** Number of its first element, by which elements of merged sessions are put in order. */
  isFired: boolean;
}

export interface Expected {
  readonly results: readonly Fired[];
  readonly late: readonly Reading[];
}

/**
 * Event-time windows with their own trigger, one reading at a time: the watermark before a reading is the largest time of those before it,
 * less the bound, less 1.
 */
export function eventTimeWindows(readings: readonly Reading[], assign: Assign, outOfOrderness = 0, lateness = 0): Expected {
  const results: Fired[] = [];
  const late: Reading[] = [];
  let open: Open[] = [];
  const fire = (window: Open): void => {
    const { key, start, end, elements } = window;
    results.push({ key, start, end, values: elements.map(({ value }) => value) });
    window.isFired = true;
  };
  const advance = (watermark: number): void => {
    const due = open.filter((window) => !window.isFired && window.end - 1 <= watermark);
    for (const window of due.sort((a, b) => a.end - b.end || (a.key < b.key ? -1 : 1))) fire(window);
    open = open.filter((window) => window.end - 1 + lateness > watermark);
  };
  for (const [i, reading] of readings.entries()) {
    const watermark = Math.max(-Infinity, ...readings.slice(0, i).map(({ at }) => at)) - outOfOrderness - 1;
    advance(watermark);
    let isTaken = false;
    for (const [start, end] of assign(reading.at)) {
      if (end - 1 + lateness <= watermark) continue;
      isTaken = true;
      let window = open.find((one) => one.key === reading.key && one.start === start);
      if (!window) open.push((window = { key: reading.key, start, end, elements: [], isFired: false }));
      window.elements.push(reading);
      if (end - 1 <= watermark) fire(window);
    }
    if (!isTaken) late.push(reading);
  }
  advance(Infinity);
  return { results, late };
}

/** Sessions of readings none of which is late: sorted by time, cut where a gap is longer than the windows of its ends. */
export function sessions(readings: readonly Reading[], gapOf: (reading: Reading) => number): Fired[] {
  const found: Fired[] = [];
  for (const key of new Set(readings.map((reading) => reading.key))) {
    const own = readings.filter((reading) => reading.key === key).sort((a, b) => a.at - b.at);
    let group: Reading[] = [];
    const end = (): number => Math.max(-Infinity, ...group.map((reading) => reading.at + gapOf(reading)));
    const close = (): void => {
      if (group.length > 0) found.push({ key, start: group[0]?.at ?? 0, end: end(), values: group.map(({ value }) => value) });
      group = [];
    };
    for (const reading of own) {
      if (reading.at > end()) close();
      group.push(reading);
    }
    close();
  }
  return found;
}

/** As a multiset: order of windows, and of the values in each, does not count. */
export function multiset(results: readonly unknown[]): string[] {
  return results
    .map((result) =>
      JSON.stringify(result, (name, value: unknown) => (name === 'values' ? [...(value as number[])].sort((a, b) => a - b) : value)),
    )
    .sort();
}
