import type { AssignerShape } from '../../graph/window-shape.ts';
import { type Duration, toMilliseconds } from '../../shared/duration.ts';
import { MillraceError } from '../../shared/errors.ts';
import { namespaceOf } from '../../state/tables.ts';
import { addToSessions, type Session } from '../../time/windows/session-merge.ts';
import { type NamedWindow, timeWindow } from '../../time/windows/window.ts';
import type { Operator, OperatorSetup } from '../operator.ts';
import { createContents } from './contents.ts';
import { elementTime } from './element-time.ts';
import { OpenSessions } from './open-sessions.ts';
import { createTrigger, forget } from './trigger.ts';
import { WindowTable } from './window-table.ts';
import { registeredTime } from './window-timers.ts';
import { Windowing } from './windowing.ts';

/** Windows that merge: each element opens one, which becomes one with those that it touches. */
export function sessionOperator(setup: OperatorSetup<'window'>): Operator {
  const { node, context } = setup;
  const shape = node.window;
  const windowing = new Windowing(setup);
  const { scope, fn } = windowing;
  const time = windowing.time ?? 'event';
  const table = new WindowTable(context, scope.operator, '$window');
  const sessions = new OpenSessions(context, scope.operator);
  const contents = createContents(shape, table, () => scope.watermark);
  const trigger = createTrigger(shape.trigger, time, scope);
  const gapOf = gap(shape.assigner);

  /** The trigger's state and timers, and the contents, of windows that are no more. */
  const merge = (window: NamedWindow, { home }: Session, merged: readonly Session[]): void => {
    const windows = merged.map(({ start, end }) => timeWindow(start, end));
    trigger.onMerge(window, windows);
    for (const one of windows) {
      trigger.clear(one);
      windowing.unregisterCleanup(one);
    }
    for (const one of merged) if (one.home !== home) contents.merge(table.entry(home), table.entry(one.home));
    windowing.registerCleanup(window);
  };

  const { timerOperator } = scope;
  timerOperator.fire = (domain, timer) => {
    const at = registeredTime(domain, timer);
    const window = windowing.windowOf(namespaceOf(timer) ?? '');
    const open = sessions.get();
    const session = open.find(({ start, end }) => start === window.start && end === window.end);
    if (session === undefined) return; // it has merged, and its trigger left a timer
    const entry = table.entry(session.home);
    windowing.settle(contents, window, entry, trigger.onTime(window, domain, at));
    if (domain !== time || at !== windowing.cleanupTime(window)) return;
    contents.clear(entry);
    trigger.clear(window);
    fn.clear(window);
    sessions.set(open.filter((one) => one !== session));
  };
  timerOperator.abandon = (domain, timer) => {
    const window = windowing.windowOf(namespaceOf(timer) ?? '');
    const open = sessions.get();
    const session = open.find(({ start, end }) => start === window.start && end === window.end);
    if (session === undefined || domain !== time || registeredTime(domain, timer) !== windowing.cleanupTime(window)) return;
    contents.clear(table.entry(session.home));
    forget(trigger, window);
    fn.clear(window);
    sessions.set(open.filter((one) => one !== session));
  };

  return {
    process: (value) => {
      const { timestamp } = context;
      const start = elementTime(time, context);
      const { sessions: open, session, merged } = addToSessions(sessions.get(), start, start + gapOf(value));
      if (windowing.isLate(session.end - 1)) {
        windowing.dropLate(value);
        return;
      }
      const window = timeWindow(session.start, session.end);
      if (merged.length > 0) merge(window, session, merged);
      sessions.set(open);
      const entry = table.entry(session.home);
      const isFirst = contents.add(entry, value, timestamp);
      if (isFirst) windowing.registerCleanup(window);
      const result = trigger.onElement(window, value, timestamp, isFirst);
      if (result !== 'CONTINUE') windowing.settle(contents, window, entry, result);
    },
    timers: timerOperator,
  };
}

function gap(assigner: AssignerShape): (value: unknown) => number {
  if (assigner.kind !== 'session') throw new TypeError(`${assigner.kind} windows have no gap`);
  const given = assigner.gap;
  if (typeof given === 'number') return () => given;
  return (value) => {
    const ms = toMilliseconds(given(value) as Duration);
    if (ms > 0) return ms;
    throw new MillraceError(
      'MILLRACE_OPTION_INVALID',
      'the gap of a session is 0 ms: withDynamicGap needs a function that gives a longer one',
    );
  };
}
