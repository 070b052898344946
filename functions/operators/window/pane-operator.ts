import type { AssignerShape } from '../../graph/window-shape.ts';
import { namespaceOf } from '../../state/tables.ts';
import { type AlignedWindows, alignedWindows, windowStart } from '../../time/windows/aligned-windows.ts';
import { type NamedWindow, timeWindow, windowText } from '../../time/windows/window.ts';
import type { Emit, Operator, OperatorSetup, TimerOperator } from '../operator.ts';
import type { RecordContext } from '../record-context.ts';
import { addTo } from './contents.ts';
import { elementTime } from './element-time.ts';
import { createFold, type Fold } from './fold.ts';
import { WindowTable } from './window-table.ts';
import { registeredTime } from './window-timers.ts';
import { Windowing } from './windowing.ts';

type Sliding = Extract<AssignerShape, { readonly kind: 'sliding' }>;

/**
 * Overlapping windows with their own trigger, put together from panes: the stretches of time between any two bounds of windows. An element
 * is added to its one pane. A window that fires merges its panes, in order of time, and hands its timer on to the next window, so a key
 * has few timers pending, however many windows its elements are in. Results are those of windows with contents of their own, as long as
 * the order of merging does not matter.
 */
export function paneOperator(setup: OperatorSetup<'window'>, paneMs: number): Operator {
  const { assigner, contents } = setup.node.window;
  const fold = createFold(contents);
  if (assigner.kind !== 'sliding' || fold === undefined) throw new TypeError('only folds of sliding windows have panes');
  return new PaneOperator(setup, assigner, fold, paneMs);
}

class PaneOperator implements Operator {
  readonly timers: TimerOperator;
  private readonly context: RecordContext;
  private readonly windowing: Windowing;
  private readonly panes: WindowTable;
  private readonly fold: Fold;
  private readonly assigner: Sliding;
  private readonly paneMs: number;
  private readonly paneOf: AlignedWindows;

  constructor(setup: OperatorSetup<'window'>, assigner: Sliding, fold: Fold, paneMs: number) {
    this.context = setup.context;
    this.windowing = new Windowing(setup);
    const { timerOperator, operator } = this.windowing.scope;
    this.panes = new WindowTable(setup.context, operator, '$window');
    this.fold = fold;
    this.assigner = assigner;
    this.paneMs = paneMs;
    this.paneOf = alignedWindows(paneMs, paneMs, assigner.offsetMs);
    this.timers = timerOperator;
    timerOperator.fire = (domain, timer) => {
      const window = this.windowing.windowOf(namespaceOf(timer) ?? '');
      const time = registeredTime(domain, timer);
      if (time === window.maxTimestamp) this.fireWindow(window);
      this.leave(window, time);
    };
    timerOperator.abandon = (domain, timer) => {
      this.leave(this.windowing.windowOf(namespaceOf(timer) ?? ''), registeredTime(domain, timer));
    };
  }

  readonly process: Emit = (value) => {
    const { assigner, windowing } = this;
    const [pane] = this.paneOf(elementTime(assigner.time, this.context));
    if (pane === undefined) throw new RangeError('panes leave no gaps');
    const last = windowStart(pane.start, assigner.slideMs, assigner.offsetMs);
    if (windowing.isLate(last + assigner.sizeMs - 1)) {
      windowing.dropLate(value);
      return;
    }
    if (addTo(this.panes, this.fold, this.panes.entry(pane.text), value)) this.schedule(pane, last);
    this.fireAgain(pane, last);
  };

  /** A pane that has just begun: the first of its windows that has not fired will fire, and the last one forgets it. */
  private schedule(pane: NamedWindow, last: number): void {
    const { windowing, assigner } = this;
    const { time, sizeMs, slideMs } = assigner;
    const fired = time === 'event' ? this.lastFired() : -Infinity;
    const start = Math.max(this.firstWith(pane), fired + slideMs);
    if (start <= last) windowing.scope.timers.register(time, start + sizeMs - 1, windowText(start, start + sizeMs));
    const end = timeWindow(last, last + sizeMs);
    windowing.scope.timers.register(time, windowing.cleanupTime(end) ?? end.maxTimestamp, end.text);
  }

  /** Windows that have fired and are not over fire again with each late element. */
  private fireAgain(pane: NamedWindow, last: number): void {
    const { assigner, windowing } = this;
    if (assigner.time !== 'event' || pane.end - 1 > windowing.scope.watermark) return;
    const first = this.firstWith(pane);
    for (let start = Math.min(last, this.lastFired()); start >= first; start -= assigner.slideMs) {
      const window = timeWindow(start, start + assigner.sizeMs);
      if (windowing.isLate(window.maxTimestamp)) return;
      this.fireWindow(window);
    }
  }

  /** Goes on to the next window, and forgets the panes that are in no later one. */
  private leave(window: NamedWindow, time: number): void {
    const { assigner, panes, paneMs, windowing } = this;
    const { slideMs, sizeMs } = assigner;
    if (time === window.maxTimestamp) {
      const next = window.start + slideMs;
      if (this.hasPane(next, next + sizeMs))
        windowing.scope.timers.register(assigner.time, next + sizeMs - 1, windowText(next, next + sizeMs));
    }
    if (time !== windowing.cleanupTime(window)) return;
    for (let start = window.start; start < window.start + slideMs; start += paneMs) {
      const entry = panes.entry(windowText(start, start + paneMs));
      if (panes.get(entry) !== undefined) panes.delete(entry);
    }
  }

  private fireWindow(window: NamedWindow): void {
    let held: unknown;
    for (let start = window.start; start < window.end; start += this.paneMs) {
      const added = this.paneAt(start);
      if (added !== undefined) held = held === undefined ? added : this.fold.merge(held, added);
    }
    if (held !== undefined) this.windowing.fn.run(window, [this.fold.result(held)]);
  }

  private hasPane(from: number, until: number): boolean {
    for (let start = until - this.paneMs; start >= from; start -= this.paneMs) if (this.paneAt(start) !== undefined) return true;
    return false;
  }

  private paneAt(start: number): unknown {
    return this.panes.get(this.panes.entry(windowText(start, start + this.paneMs)));
  }

  /** Start of the first window that a pane is in. */
  private firstWith(pane: NamedWindow): number {
    const { sizeMs, slideMs, offsetMs } = this.assigner;
    return windowStart(pane.end - sizeMs + slideMs - 1, slideMs, offsetMs);
  }

  /** Start of the last window whose end the watermark has passed. */
  private lastFired(): number {
    const { sizeMs, slideMs, offsetMs } = this.assigner;
    const { watermark } = this.windowing.scope;
    return Number.isFinite(watermark) ? windowStart(watermark - sizeMs + 1, slideMs, offsetMs) : watermark;
  }
}
