import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Say } from './artifacts.ts';
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts';

const pollMs = 100;

/** Runs `work` while no other process does so in this folder: two `up` at once would start everything twice. What a process held that died is free. */
export async function exclusively<T>(folder: string, say: Say, work: () => Promise<T>): Promise<T> {
  const lock = join(folder, 'lock');
  mkdirSync(folder, { recursive: true });
  for (let holder = take(lock), isTold = false; holder !== undefined; holder = take(lock)) {
    if (!isTold) say(`waiting for process ${holder.pid}, which starts or stops services`);
    isTold = true;
    await delay(pollMs);
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Undefined if it is ours now, else who has it. A link, so that the file is never seen half written. */
function take(lock: string): ProcessIdentity | undefined {
  const own = `${lock}.${process.pid}`;
  writeFileSync(own, JSON.stringify(identify(process.pid)));
  try {
    linkSync(own, lock);
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(own);
  }
  const holder = readHolder(lock);
  if (holder !== undefined && isAlive(holder)) return holder;
  rmSync(lock, { force: true });
  return take(lock);
}

function readHolder(lock: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(lock, 'utf8')) as ProcessIdentity;
  } catch {
    // It was given back between two looks.
    return undefined;
  }
}
