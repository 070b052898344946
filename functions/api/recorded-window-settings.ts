import { toMilliseconds, type Duration } from '../shared/duration.ts';
import type { GlobalWindow, TimeWindow } from '../time/windows/window.ts';
import { type BuiltInEvictor, type Evictor, toEvictorShape } from './evictor.ts';
import type { LateTag } from './output-tag.ts';
import type { StateDescriptors } from './state-descriptors.ts';
import { type BuiltInTrigger, toTriggerShape, type Trigger } from './trigger.ts';
import type { WindowDraft } from './window-draft.ts';
import type { WindowSettings } from './windowed-stream.ts';

/** Windows as they are while a pipeline is built: each call gives others. */
export abstract class RecordedWindowSettings<T, W extends TimeWindow | GlobalWindow> implements WindowSettings<T, W> {
  protected readonly draft: WindowDraft;

  constructor(draft: WindowDraft) {
    this.draft = draft;
  }

  trigger<D extends StateDescriptors>(trigger: BuiltInTrigger | Trigger<T, W, D>): this {
    return this.redraw({ ...this.draft, trigger: toTriggerShape(trigger) });
  }

  evictor(evictor: BuiltInEvictor<T> | Evictor<T, W>): this {
    return this.redraw({ ...this.draft, evictor: toEvictorShape(evictor) });
  }

  allowedLateness(lateness: Duration): this {
    return this.redraw({ ...this.draft, allowedLatenessMs: toMilliseconds(lateness) });
  }

  sideOutputLateData(tag: LateTag<T>): this {
    return this.redraw({ ...this.draft, lateTag: tag.name });
  }

  protected abstract redraw(draft: WindowDraft): this;
}
