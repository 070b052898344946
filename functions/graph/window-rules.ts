import { MillraceError } from '../shared/errors.ts';
import { canMerge, isMerging, type TriggerShape, type WindowShape } from './window-shape.ts';

/**
 * What parts of a window do not go together.
 *
 * @param place - Where it stands, for messages.
 * @throws MILLRACE_OPTION_INVALID
 */
export function checkWindow(shape: WindowShape, place: string): void {
  const { assigner, trigger, allowedLatenessMs, lateTag, contents, apply } = shape;
  const isEventTime = assigner.kind !== 'global' && assigner.time === 'event';
  const windows = assigner.kind === 'global' ? 'global windows' : `${assigner.kind} windows of ${assigner.time} time`;
  if (allowedLatenessMs > 0 && !isEventTime) fail(place, `allows lateness, but in ${windows} nothing is late: remove .allowedLateness()`);
  if (lateTag !== undefined && !isEventTime) fail(place, `has a side output for late records, but in ${windows} nothing is late`);
  if (assigner.kind === 'global' && trigger === undefined)
    fail(place, 'has global windows, which never fire by themselves: add .trigger(…), or use .countWindow(n)');
  if (!isMerging(assigner)) return;
  if (!canMerge(contents)) fail(place, 'has session windows, which merge: give its aggregate function a merge(left, right)');
  if (trigger !== undefined && !canTriggerMerge(trigger))
    fail(place, 'has session windows, which merge: give its trigger an onMerge(window, ctx)');
  if (Object.keys(apply?.windowStates ?? {}).length > 0)
    fail(place, 'has session windows, which merge, and per-window state, which cannot: use globalState');
}

function canTriggerMerge(trigger: TriggerShape): boolean {
  if (trigger.kind === 'purging') return canTriggerMerge(trigger.trigger);
  return trigger.kind !== 'custom' || trigger.onMerge !== undefined;
}

function fail(place: string, what: string): never {
  throw new MillraceError('MILLRACE_OPTION_INVALID', `${place} ${what}`);
}
