import { fromStateKey, stateKey } from '../../shared/key.ts';

/** The time from `start` (inclusive) to `end` (exclusive), in ms since the epoch. */
export interface TimeWindow {
  readonly start: number;
  readonly end: number;
}

/** The one window that all elements of a key are in. */
export interface GlobalWindow {
  readonly global: true;
}

/** A window as the runtime has it: with its largest timestamp, and the text under which its state and timers are kept. */
export interface NamedWindow {
  readonly window: TimeWindow | GlobalWindow;
  readonly start: number;
  readonly end: number;
  /** Largest timestamp that belongs to it; its results have it. */
  readonly maxTimestamp: number;
  /** State key of the tuple [start, end], or of ['global']. */
  readonly text: string;
}

/** A watermark reaches its end only when the input has ended. */
export const GLOBAL_WINDOW: NamedWindow = Object.freeze({
  window: Object.freeze({ global: true }),
  start: -Infinity,
  end: Infinity,
  maxTimestamp: Number.MAX_SAFE_INTEGER,
  text: stateKey(['global']),
});

export function timeWindow(start: number, end: number): NamedWindow {
  return { window: Object.freeze({ start, end }), start, end, maxTimestamp: end - 1, text: windowText(start, end) };
}

export function windowText(start: number, end: number): string {
  return `t[${start},${end}]`;
}

/** Inverse of a window's `text`. @throws MILLRACE_STATE_CORRUPT */
export function parseWindow(text: string): NamedWindow {
  if (text === GLOBAL_WINDOW.text) return GLOBAL_WINDOW;
  const [start, end] = fromStateKey(text) as readonly [number, number];
  return timeWindow(start, end);
}
