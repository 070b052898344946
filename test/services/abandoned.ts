import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServicesPlace } from './place.ts';
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts';
import { liveRecord, stopServer } from './server.ts';

const ownerFile = 'owner.json';

/** Makes the folder of a test's own server, which is worth nothing once this process is gone. */
export function mark(folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, ownerFile), JSON.stringify(identify(process.pid)));
}

/** Ends and removes servers whose test process is gone, as after kill -9 of jest. Resolves to the titles of those that ran. */
export async function removeAbandoned({ testsFolder }: ServicesPlace): Promise<string[]> {
  if (!existsSync(testsFolder)) return [];
  const removed: string[] = [];
  for (const instance of readdirSync(testsFolder).map((name) => join(testsFolder, name))) {
    if (hasOwner(instance)) continue;
    const folders = serverFolders(instance);
    removed.push(...folders.flatMap((folder) => liveRecord(folder)?.title ?? []));
    await Promise.all(folders.map(stopServer));
    rmSync(instance, { recursive: true, force: true });
  }
  return removed;
}

function hasOwner(instance: string): boolean {
  const path = join(instance, ownerFile);
  // A folder without the file is being made, or was made by nobody of ours.
  if (!existsSync(path)) return true;
  return isAlive(JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity);
}

/** Folders with a process record: the instance itself, or members of an ensemble below it. */
function serverFolders(instance: string): string[] {
  return readdirSync(instance, { recursive: true, withFileTypes: true })
    .filter(({ name }) => name === 'process.json')
    .map(({ parentPath }) => parentPath);
}
