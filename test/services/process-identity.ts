import { readdirSync, readFileSync } from 'node:fs';

/** One process, not its number: numbers are used again. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from the start of the machine to that of the process (proc(5), stat, field 22). */
  readonly startTicks: string;
  /** Tells a process from one of the same number and ticks before the machine was started again. */
  readonly bootId: string;
}

/** Who runs under this number; undefined if nobody does, or one that has ended and only waits to be collected by its parent. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readProc(`${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field is the name in parentheses, which may hold blanks and parentheses.
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const startTicks = rest[18];
  if (startTicks === undefined || state === 'X' || (state === 'Z' && !hasThreads(pid))) return undefined;
  return { pid, startTicks, bootId: readProc('sys/kernel/random/boot_id')?.trim() ?? '' };
}

export function isAlive(identity: ProcessIdentity): boolean {
  const found = identify(identity.pid);
  return found?.startTicks === identity.startTicks && found.bootId === identity.bootId;
}

/** Of a killed process the first thread can be dead while others still hold its ports. */
function hasThreads(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).length > 1;
  } catch {
    return false;
  }
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    // The process ended between two looks.
    return undefined;
  }
}
