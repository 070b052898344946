import { createHash } from 'node:crypto';
import { mkdirSync, realpathSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Say } from './artifacts.ts';

const pollMs = 100;

/**
 * Runs `work` while no other process of this machine does so for this folder: two `up` at once would start everything twice. The lock is a name
 * that the kernel knows, not a file: it is free the moment its holder dies, so nobody has to judge whether one that was left behind may be removed.
 */
export async function exclusively<T>(folder: string, say: Say, work: () => Promise<T>): Promise<T> {
  mkdirSync(folder, { recursive: true });
  const name = lockName(folder);
  let lock = await take(name);
  for (let isTold = false; lock === undefined; lock = await take(name)) {
    if (!isTold) say(`waiting for process ${await holderOf(name)}, which starts or stops services`);
    isTold = true;
    await delay(pollMs);
  }
  const taken = lock;
  try {
    return await work();
  } finally {
    await new Promise((resolve) => taken.close(resolve));
  }
}

/** Of Linux' abstract sockets (unix(7)): the byte 0, and then any name. */
function lockName(folder: string): string {
  return `\0millrace-services-${createHash('sha256').update(realpathSync(folder)).digest('hex').slice(0, 32)}`;
}

/** Undefined if somebody has it. Whoever connects is told who. */
function take(name: string): Promise<Server | undefined> {
  const lock = createServer((asking) => asking.on('error', () => undefined).end(String(process.pid)));
  return new Promise((resolve, reject) => {
    lock.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    lock.listen(name, () => resolve(lock));
  });
}

/** For people only; it may have given the lock back meanwhile. */
function holderOf(name: string): Promise<string> {
  return new Promise((resolve) => {
    let pid = '';
    connect(name)
      .setEncoding('utf8')
      .on('data', (text: string) => (pid += text))
      .on('error', () => undefined)
      .on('close', () => resolve(pid || 'unknown'));
  });
}
