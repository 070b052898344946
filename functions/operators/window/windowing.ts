import { type TriggerResult, type WindowTime, timeOf } from '../../graph/window-shape.ts';
import type { OperatorSetup } from '../operator.ts';
import { type NamedWindow, parseWindow } from '../../time/windows/window.ts';
import type { Contents } from './contents.ts';
import { createWindowFunction, type WindowFunction } from './window-function.ts';
import { WindowScope } from './window-scope.ts';

/** What every window operator has: its scope, its window function, and when windows are late and over. */
export class Windowing {
  readonly scope: WindowScope;
  readonly fn: WindowFunction;
  readonly time: WindowTime | undefined;
  private readonly setup: OperatorSetup<'window'>;
  private readonly latenessMs: number;
  /** The assigner's own trigger has the very timer that cleans up. */
  private readonly endsWithTrigger: boolean;
  private parsed: NamedWindow | undefined;

  constructor(setup: OperatorSetup<'window'>) {
    const { plan, node, context } = setup;
    this.setup = setup;
    this.scope = new WindowScope(context, plan.uid ?? plan.name);
    this.fn = createWindowFunction(setup, this.scope);
    this.time = timeOf(node.window.assigner);
    this.latenessMs = this.time === 'event' ? node.window.allowedLatenessMs : 0;
    this.endsWithTrigger = node.window.trigger === undefined && this.latenessMs === 0;
  }

  /** When all of the window is forgotten; its own last moment, and the lateness that is allowed. Never for a global window. */
  cleanupTime(window: NamedWindow): number | undefined {
    return this.time === undefined ? undefined : window.maxTimestamp + this.latenessMs;
  }

  isLate(maxTimestamp: number): boolean {
    return this.time === 'event' && maxTimestamp + this.latenessMs <= this.scope.watermark;
  }

  /** For a window whose trigger has been asked, or will be. */
  registerCleanup(window: NamedWindow): void {
    const time = this.cleanupTime(window);
    if (!this.endsWithTrigger && time !== undefined && this.time) this.scope.timers.register(this.time, time, window.text);
  }

  unregisterCleanup(window: NamedWindow): void {
    const time = this.cleanupTime(window);
    if (!this.endsWithTrigger && time !== undefined && this.time) this.scope.timers.unregister(this.time, time, window.text);
  }

  /** Does what a trigger has decided. */
  settle(contents: Contents, window: NamedWindow, entry: string, result: TriggerResult): void {
    const elements = result === 'FIRE' || result === 'FIRE_AND_PURGE' ? contents.read(entry, window) : undefined;
    if (elements !== undefined) {
      this.fn.run(window, elements);
      contents.settle?.(entry, window);
    }
    if (result === 'PURGE' || result === 'FIRE_AND_PURGE') contents.clear(entry);
  }

  /** An element that is in no window any more goes to the side output, or is counted. */
  dropLate(value: unknown): void {
    const { node, side, context } = this.setup;
    const { lateTag } = node.window;
    if (lateTag === undefined) context.lateRecords++;
    else side(lateTag)(value);
  }

  /** The window of a timer; that of one after the other is mostly the same. */
  windowOf(text: string): NamedWindow {
    if (this.parsed?.text !== text) this.parsed = parseWindow(text);
    return this.parsed;
  }
}
