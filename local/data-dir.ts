import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { MillraceError } from '../functions/shared/errors.ts';

/** The folder of `--data`, for one process at a time. */
export interface DataDir {
  readonly path: string;
  readonly statePath: string;
  /** Lets another process have it. */
  release(): void;
}

/** Makes the folder if need be, and takes it. @throws MILLRACE_DATA_INVALID another process that lives has it. */
export function openDataDir(path: string): DataDir {
  const lock = join(path, 'lock');
  try {
    makeFolder(path);
    takeLock(lock);
  } catch (cause) {
    if (cause instanceof MillraceError) throw cause;
    throw new MillraceError('MILLRACE_DATA_INVALID', `--data ${path} cannot be used: ${(cause as Error).message}`, { cause });
  }
  return { path, statePath: join(path, 'state.log'), release: () => rmSync(lock, { force: true }) };
}

/** With the folders above it. Not as Node does it, which never ends where a folder is there and none can be made in it (below `/proc`). */
function makeFolder(path: string): void {
  const missing: string[] = [];
  for (let dir = resolve(path); !existsSync(dir); dir = dirname(dir)) missing.unshift(dir);
  for (const dir of missing) {
    try {
      mkdirSync(dir);
    } catch (error) {
      if (!existsSync(dir)) throw error; // else somebody else has just made it
    }
  }
}

/** Holds the process id and when the process began: in a container the same id comes back with every start. */
function takeLock(lock: string): void {
  const self = `${process.pid} ${performance.timeOrigin}`;
  try {
    writeFileSync(lock, self, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const holder = readFileSync(lock, 'utf8');
    const owner = parseInt(holder, 10);
    if (holder === self || (owner !== process.pid && isAlive(owner)))
      throw new MillraceError(
        'MILLRACE_DATA_INVALID',
        `process ${owner} is using this data folder; stop it, or give another --data (lock: ${lock})`,
      );
    writeFileSync(lock, self); // left by a run that was killed
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
