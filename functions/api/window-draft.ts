import type { AssignerShape, WindowShape } from '../graph/window-shape.ts';
import type { Duration } from '../shared/duration.ts';
import { MillraceError } from '../shared/errors.ts';
import type { GlobalWindow, TimeWindow } from '../time/windows/window.ts';
import { positiveCount } from './trigger.ts';
import { tumblingShape, type WindowAssigner } from './window-assigner.ts';

/** What is known of windows before it is said what becomes of their contents. */
export type WindowDraft = Pick<WindowShape, 'assigner' | 'trigger' | 'evictor' | 'allowedLatenessMs' | 'lateTag'>;

/** @throws MILLRACE_OPTION_INVALID */
export function parseAssigner<T, W extends TimeWindow | GlobalWindow>(given: WindowAssigner<T, W> | Duration): WindowDraft {
  if (typeof given !== 'object') return { assigner: tumblingShape('event', given), allowedLatenessMs: 0 };
  const { shape } = given as Partial<WindowAssigner<T, W>>;
  if (shape !== undefined) return { assigner: shape, allowedLatenessMs: 0 };
  throw new MillraceError('MILLRACE_OPTION_INVALID', "window() needs a window assigner, such as TumblingEventTimeWindows.of('5 seconds')");
}

/** Flink's countWindow. @throws MILLRACE_OPTION_INVALID */
export function countWindows(size: number, slide: number | undefined): WindowDraft {
  const draft = { assigner: { kind: 'global' }, allowedLatenessMs: 0 } as const;
  const maxCount = positiveCount('countWindow', size);
  if (slide === undefined) return { ...draft, trigger: { kind: 'purging', trigger: { kind: 'count', count: maxCount } } };
  return {
    ...draft,
    trigger: { kind: 'count', count: positiveCount('the slide of countWindow', slide) },
    evictor: { kind: 'count', maxCount, after: false },
  };
}

/** What people call an operator on windows. */
export function labelOf({ assigner }: WindowDraft, method: string): string {
  return `${describeAssigner(assigner)}: ${method}`;
}

function describeAssigner(assigner: AssignerShape): string {
  if (assigner.kind === 'global') return 'global window';
  const kind = `${assigner.kind} window, ${assigner.time} time`;
  switch (assigner.kind) {
    case 'tumbling':
      return `${kind}, ${assigner.sizeMs} ms`;
    case 'sliding':
      return `${kind}, ${assigner.sizeMs} ms every ${assigner.slideMs} ms`;
    case 'session':
      return `${kind}, ${typeof assigner.gap === 'number' ? `gap ${assigner.gap} ms` : 'dynamic gap'}`;
  }
}
