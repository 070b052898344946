import { closeSync, constants, existsSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';

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

  /** Reads what is there and writes it anew, one line a partition. A line that was cut short by a crash is the last one, and is left out. */
  private recover(path: string): void {
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
    for (const line of lines) {
      const entry = JSON.parse(line) as Entry;
      this.offsets.set(JSON.stringify(entry.slice(0, 3)), entry);
    }
    const text = [...this.offsets.values()].map((entry) => `${JSON.stringify(entry)}\n`).join('');
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }
}
