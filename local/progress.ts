import { describeTime } from './describe-time.ts';
import type { HarnessReport } from './harness-report.ts';

/** What a run shows while it goes on: lines as they come and, in a terminal, a live block of figures below them. */
export interface Progress {
  line(text: string): void;
  /** Begins to show the figures that `current` gives. */
  follow(current: () => HarnessReport): void;
  close(): void;
}

const REDRAW_MS = 250;
const PLAIN_MS = 5000;
const FALLBACK_COLUMNS = 80;

/** @param isLive - Redraw figures in place (a terminal); else print a plain line every few seconds. */
export function openProgress(out: NodeJS.WritableStream, isLive: boolean): Progress {
  return isLive ? new LiveProgress(out) : new PlainProgress(out);
}

class PlainProgress implements Progress {
  private readonly out: NodeJS.WritableStream;
  private timer: NodeJS.Timeout | undefined;

  constructor(out: NodeJS.WritableStream) {
    this.out = out;
  }

  line(text: string): void {
    this.out.write(`${text}\n`);
  }

  follow(current: () => HarnessReport): void {
    this.timer = setInterval(() => this.line(plainLine(current())), PLAIN_MS);
    this.timer.unref();
  }

  close(): void {
    clearInterval(this.timer);
  }
}

class LiveProgress implements Progress {
  private readonly out: NodeJS.WritableStream & { readonly columns?: number };
  private timer: NodeJS.Timeout | undefined;
  private current: (() => HarnessReport) | undefined;
  /** Lines of the block at the bottom. */
  private shown = 0;

  constructor(out: NodeJS.WritableStream) {
    this.out = out;
  }

  line(text: string): void {
    this.erase();
    this.out.write(`${text}\n`);
    this.draw();
  }

  follow(current: () => HarnessReport): void {
    this.current = current;
    this.draw();
    this.timer = setInterval(() => {
      this.erase();
      this.draw();
    }, REDRAW_MS);
    this.timer.unref();
  }

  close(): void {
    clearInterval(this.timer);
    this.current = undefined;
    this.erase();
  }

  private erase(): void {
    if (this.shown > 0) this.out.write(`\x1b[${this.shown}A\x1b[0J`);
    this.shown = 0;
  }

  /** A line that wraps would be two to erase; so each is cut at the edge. */
  private draw(): void {
    if (!this.current) return;
    const width = (this.out.columns || FALLBACK_COLUMNS) - 1; // a terminal without a size has 0
    const lines = liveLines(this.current()).map((line) => line.slice(0, width));
    this.out.write(`${lines.join('\n')}\n`);
    this.shown = lines.length;
  }
}

function liveLines({ hops, recordsPerSecond, seconds, feeds }: HarnessReport): string[] {
  const width = Math.max(...hops.map(({ stage }) => stage.length));
  const rows = hops.map(({ stage, recordsIn, recordsOut, lag, deadLetters, retries, watermark }) => {
    const troubles = `${deadLetters > 0 ? `  ${deadLetters} dead` : ''}${retries > 0 ? `  ${retries} retries` : ''}`;
    return `  ${stage.padEnd(width)}  ${number(recordsIn)} in  ${number(recordsOut)} out  ${number(lag)} lag${eventTime(watermark)}${troubles}`;
  });
  return [...rows, `  ${seconds.toFixed(1)} s, ${Math.round(recordsPerSecond).toLocaleString('en-US')} records/s${heldBack(feeds)}`];
}

function plainLine({ hops, recordsPerSecond, feeds }: HarnessReport): string {
  const stages = hops.map(({ stage, recordsIn, lag, watermark }) => `${stage} ${recordsIn} in (lag ${lag}${eventTime(watermark)})`);
  return `${stages.join(', ')}; ${Math.round(recordsPerSecond)} records/s${heldBack(feeds)}`;
}

/** Nothing of a stage that has no watermark (yet). */
function eventTime(watermark: number): string {
  return watermark > -Infinity ? `  watermark ${describeTime(watermark)}` : '';
}

/** Input waits while the stages are behind: what slows the run down is not its source. */
function heldBack(feeds: HarnessReport['feeds']): string {
  return feeds.some(({ isHeldBack }) => isHeldBack) ? ', held-back' : '';
}

function number(value: number): string {
  return value.toLocaleString('en-US').padStart(10);
}
