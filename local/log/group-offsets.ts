import { closeSync, constants, existsSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { MillraceError } from '../../functions/shared/errors.ts';

type Entry = readonly [group: string, topic: string, partition: number, offset: number];

/** Committed offsets of all groups; with a file, one JSON line a commit, of which the last one counts. */
export class GroupOffsets {
  private readonly offsets = new Map<string, Entry>();
  private fd: number | undefined;

  constructor(path?: string) {
    if (path === undefined) return;
    if (existsSync(path)) this.recover(path);
    this.fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND, 0o600);
  }

  get(group: string, topic: string, partition: number): number | undefined {
    return this.offsets.get(JSON.stringify([group, topic, partition]))?.[3];
  }

  set(group: string, topic: string, partition: number, offset: number): void {
    const entry: Entry = [group, topic, partition, offset];
    this.offsets.set(JSON.stringify([group, topic, partition]), entry);
    if (this.fd !== undefined) writeSync(this.fd, `${JSON.stringify(entry)}\n`);
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
  }

  /** Reads what is there and writes it anew, one line a partition. */
  private recover(path: string): void {
    for (const entry of parseOffsets(readFileSync(path, 'utf8'))) this.offsets.set(JSON.stringify(entry.slice(0, 3)), entry);
    const text = [...this.offsets.values()].map((entry) => `${JSON.stringify(entry)}\n`).join('');
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }
}

/**
 * The commits of a file. A line that was cut short by a crash is the last one, and is left out.
 *
 * @throws MILLRACE_DATA_INVALID
 */
export function parseOffsets(text: string): Entry[] {
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line, i) => {
    const entry = parseLine(line);
    if (isEntry(entry)) return entry;
    throw new MillraceError('MILLRACE_DATA_INVALID', `line ${i + 1} of the log's committed offsets is none; start with another --data`);
  });
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isEntry(value: unknown): value is Entry {
  if (!Array.isArray(value) || value.length !== 4) return false;
  const [group, topic, partition, offset] = value as readonly unknown[];
  return typeof group === 'string' && typeof topic === 'string' && isCount(partition) && isCount(offset);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
