import type { AggregateShape } from '../graph/logical-graph.ts';
import type { ContentsShape, WindowFunctionShape, WindowShape } from '../graph/window-shape.ts';
import { MillraceError } from '../shared/errors.ts';
import type { Key } from '../shared/key.ts';
import type { GlobalWindow, TimeWindow } from '../time/windows/window.ts';
import type { DataStream } from './data-stream.ts';
import { RecordedWindowSettings } from './recorded-window-settings.ts';
import { labelOf, type WindowDraft } from './window-draft.ts';
import type { AggregateFunction } from './window-function.ts';
import { type AnyWindowFunction, countResult, toAggregateContents, toWindowFunctionShape } from './window-function-shape.ts';
import type { AllWindowedStream, WindowedStream } from './windowed-stream.ts';

type Append = <O>(window: WindowShape) => DataStream<O>;

/** Windows as they are while a pipeline is built; nothing is recorded before it is said what becomes of their contents. */
class RecordedWindows<T, W extends TimeWindow | GlobalWindow> extends RecordedWindowSettings<T, W> {
  private readonly append: Append;
  private readonly hasKey: boolean;

  constructor(append: Append, draft: WindowDraft, hasKey: boolean) {
    super(draft);
    this.append = append;
    this.hasKey = hasKey;
  }

  sum(field: string): DataStream<T> {
    return this.roll({ of: 'sum', field });
  }

  min(field: string): DataStream<T> {
    return this.roll({ of: 'min', field });
  }

  max(field: string): DataStream<T> {
    return this.roll({ of: 'max', field });
  }

  minBy(field: string): DataStream<T> {
    return this.roll({ of: 'minBy', field });
  }

  maxBy(field: string): DataStream<T> {
    return this.roll({ of: 'maxBy', field });
  }

  count<O>(): DataStream<O> {
    return this.roll({ of: 'count' }, countResult(this.hasKey));
  }

  reduce<O>(fn: (held: T, next: T) => T, windowFn?: AnyWindowFunction): DataStream<O> {
    if (typeof fn !== 'function') throw new MillraceError('MILLRACE_OPTION_INVALID', 'reduce() needs a function (held, next) => …');
    const contents: ContentsShape = { kind: 'reduce', reduce: fn as (left: unknown, right: unknown) => unknown };
    return this.record('reduce', contents, windowFn && toWindowFunctionShape(windowFn, this.hasKey));
  }

  aggregate<Acc, Out, O>(fn: AggregateFunction<T, Acc, Out>, windowFn?: AnyWindowFunction): DataStream<O> {
    return this.record('aggregate', toAggregateContents(fn), windowFn && toWindowFunctionShape(windowFn, this.hasKey));
  }

  process<O>(fn: AnyWindowFunction): DataStream<O> {
    return this.record('process', { kind: 'elements' }, toWindowFunctionShape(fn, this.hasKey));
  }

  apply<O>(fn: AnyWindowFunction): DataStream<O> {
    return this.record('apply', { kind: 'elements' }, toWindowFunctionShape(fn, this.hasKey));
  }

  private roll<O>(rolling: AggregateShape, apply?: WindowFunctionShape): DataStream<O> {
    const method = rolling.of === 'count' ? 'count' : `${rolling.of}(${rolling.field})`;
    return this.record(method, { kind: 'rolling', rolling }, apply);
  }

  private record<O>(method: string, contents: ContentsShape, apply?: WindowFunctionShape): DataStream<O> {
    const { draft, hasKey } = this;
    return this.append({ ...draft, contents, ...(apply && { apply }), label: labelOf(draft, method), all: !hasKey });
  }

  protected redraw(draft: WindowDraft): this {
    const Class = this.constructor as new (append: Append, draft: WindowDraft) => this;
    return new Class(this.append, draft);
  }
}

export class RecordedWindowedStream<T, K extends Key, W extends TimeWindow | GlobalWindow>
  extends RecordedWindows<T, W>
  implements WindowedStream<T, K, W>
{
  constructor(append: Append, draft: WindowDraft) {
    super(append, draft, true);
  }
}

export class RecordedAllWindowedStream<T, W extends TimeWindow | GlobalWindow>
  extends RecordedWindows<T, W>
  implements AllWindowedStream<T, W>
{
  constructor(append: Append, draft: WindowDraft) {
    super(append, draft, false);
  }
}
