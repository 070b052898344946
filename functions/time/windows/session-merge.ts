import { windowText } from './window.ts';

/** An open session: its window, and the text of the window under which its contents are kept, whatever it has grown to. */
export interface Session {
  readonly start: number;
  readonly end: number;
  readonly home: string;
}

export interface SessionChange {
  /** All open sessions, in order of time; no two of them touch. */
  readonly sessions: readonly Session[];
  /** The session that the new window is in. */
  readonly session: Session;
  /** The sessions that it takes the place of, in order of time; none where it is new or has not grown. */
  readonly merged: readonly Session[];
}

/**
 * Adds the window of one element to the open sessions of a key. Windows that overlap or touch become one (Flink's `intersects`). Its
 * contents stay where those of the earliest were.
 */
export function addToSessions(open: readonly Session[], start: number, end: number): SessionChange {
  const touched = open.filter((session) => session.start <= end && session.end >= start);
  const [first] = touched;
  if (first === undefined) return { ...insert(open, { start, end, home: windowText(start, end) }), merged: [] };
  const session = { start: Math.min(start, first.start), end: Math.max(end, ...touched.map((one) => one.end)), home: first.home };
  if (touched.length === 1 && session.start === first.start && session.end === first.end)
    return { sessions: open, session: first, merged: [] };
  return {
    ...insert(
      open.filter((one) => !touched.includes(one)),
      session,
    ),
    merged: touched,
  };
}

function insert(open: readonly Session[], session: Session): Pick<SessionChange, 'sessions' | 'session'> {
  const at = open.findIndex((one) => one.start > session.start);
  return { sessions: at < 0 ? [...open, session] : [...open.slice(0, at), session, ...open.slice(at)], session };
}
