import { inspect } from 'node:util';
import type { Sink, SinkContext, SinkWriter } from '../sink.ts';

/** Lines that one task prints in one second; people cannot read more. */
const MAX_LINES = 10;
const WINDOW_MS = 1000;
const MAX_DEPTH = 8;

/**
 * Prints records for people, as text or JSON, with `prefix` before each. At most ten lines a second and task; what is left out is
 * counted, and told in the next second: `… and 990 more lines`.
 *
 * @see Flink DataStream `print`
 */
export function printSink(prefix?: string): Sink<unknown> {
  return Object.freeze({ kind: 'print', open: (context: SinkContext) => new PrintWriter(prefix, context) });
}

class PrintWriter implements SinkWriter<unknown> {
  private readonly before: string;
  private readonly context: SinkContext;
  /** Formatted at once, as user code may go on changing the value; never more than may be printed. */
  private lines: string[] = [];
  private count = 0;
  private windowStart = -Infinity;
  private printed = 0;
  private leftOut = 0;

  constructor(prefix: string | undefined, context: SinkContext) {
    this.before = prefix === undefined ? '' : `${prefix}> `;
    this.context = context;
  }

  write(value: unknown): void {
    if (this.lines.length < MAX_LINES) this.lines.push(this.before + formatValue(value));
    this.count++;
  }

  mark(): number {
    return this.count;
  }

  reset(mark: number): void {
    this.count = mark;
    this.lines.length = Math.min(mark, this.lines.length);
  }

  flush(isEnd = false): Promise<void> {
    if (this.context.now() - this.windowStart >= WINDOW_MS) this.beginWindow();
    const lines = this.lines.slice(0, MAX_LINES - this.printed);
    for (const line of lines) this.context.print(line);
    this.printed += lines.length;
    this.leftOut += this.count - lines.length;
    this.reset(0);
    if (isEnd) this.beginWindow();
    return Promise.resolve();
  }

  /** Tells what the last second left out. */
  private beginWindow(): void {
    if (this.leftOut > 0) this.context.print(`${this.before}… and ${this.leftOut} more lines`);
    this.windowStart = this.context.now();
    this.printed = 0;
    this.leftOut = 0;
  }
}

/** Text as it is, plain data as JSON, anything that JSON would lose as Node prints it. One line. */
function formatValue(value: unknown): string {
  if (typeof value === 'string') return value;
  return isPlain(value) ? JSON.stringify(value) : inspect(value, { breakLength: Infinity, compact: true, depth: MAX_DEPTH });
}

/** True for what JSON keeps as it is; what is nested too deep (a loop, perhaps) is left to Node's printer. */
function isPlain(value: unknown, depth = 0): boolean {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || depth > MAX_DEPTH) return false;
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return false;
  return Object.values(value).every((item) => isPlain(item, depth + 1));
}
