/** Lines of print sinks that are shown in one second, over all tasks; people cannot read more. */
const MAX_LINES = 10;
const WINDOW_MS = 1000;

/** What a print sink says of the lines that its own limit left out (connectors/print). */
const LEFT_OUT = /… and ([0-9]+) more lines$/;

/** Shows at most ten printed lines a second and counts the rest; each task has a limit of its own, and a run has many tasks. */
export class PrintLimit {
  private readonly show: (line: string) => void;
  private readonly now: () => number;
  private windowStart = -Infinity;
  private shown = 0;
  private leftOut = 0;

  constructor(show: (line: string) => void, now: () => number = () => performance.now()) {
    this.show = show;
    this.now = now;
  }

  print(line: string): void {
    if (this.now() - this.windowStart >= WINDOW_MS) this.flush();
    const left = LEFT_OUT.exec(line);
    if (left) this.leftOut += Number(left[1]);
    else if (this.shown < MAX_LINES) {
      this.shown++;
      this.show(line);
    } else this.leftOut++;
  }

  /** Begins a new second, and tells what the last one left out. */
  flush(): void {
    if (this.leftOut > 0) this.show(`… and ${this.leftOut.toLocaleString('en-US')} more lines`);
    this.windowStart = this.now();
    // The line about the rest counts: ten lines a second are ten.
    this.shown = this.leftOut > 0 ? 1 : 0;
    this.leftOut = 0;
  }
}
