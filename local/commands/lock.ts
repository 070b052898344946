import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseLock } from '../../functions/graph/lock-parser.ts';
import { formatLock, LOCK_FILE, type LockFile } from '../../functions/graph/lock.ts';
import type { CliIo } from '../cli.ts';
import type { Project } from '../project.ts';

/** The lock file of a folder; undefined if there is none. @throws MILLRACE_LOCK_INVALID */
export async function readLock(folder: string): Promise<LockFile | undefined> {
  const path = join(folder, LOCK_FILE);
  return existsSync(path) ? parseLock(await readFile(path, 'utf8')) : undefined;
}

/** `millrace plan FILE --update-lock`: adds new uids and states; what would be lost has been refused before. */
export async function updateLockFile({ file, locked }: Project, io: CliIo): Promise<void> {
  const path = join(dirname(file), LOCK_FILE);
  const text = formatLock(locked);
  if (existsSync(path) && (await readFile(path, 'utf8')) === text) {
    io.stdout.write(`${LOCK_FILE} is up to date\n`);
    return;
  }
  await writeFile(path, text);
  io.stdout.write(`wrote ${LOCK_FILE}: commit it with the pipeline\n`);
}
