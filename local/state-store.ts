import { closeSync, constants, existsSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { MemoryStateBackend } from '../functions/state/memory/memory-state-backend.ts';
import type { StateBackend, StateNode, StateOp } from '../functions/state/state-backend.ts';
import { type Change, decodeEntries, encodeEntry } from './state-entry.ts';

/** A file that has grown past this, and to four times what lives, is written anew. */
const REWRITE_BYTES = 64 * 1024 * 1024;

/**
 * A state store on disk: the memory backend, with every change in a write-ahead file that the next run reads. Plain writes without
 * fsync: what was acknowledged survives the death of the process, not that of the machine.
 */
export function openStateStore(path: string): StateBackend {
  return new FileStateStore(path);
}

/**
 * What the file holds at this moment, to be looked at: nothing is written, and a run may be at work on it, as a file only grows or is
 * replaced by a whole one.
 */
export function readStateStore(path: string): StateBackend {
  const memory = new MemoryStateBackend();
  for (const changes of decodeEntries(readFileSync(path))) for (const change of changes) redo(memory, change);
  return memory;
}

function redo(memory: MemoryStateBackend, [path, node]: Change): void {
  if (node) memory.restore(path, node);
  else memory.multi([{ op: 'delete', path }]).catch(() => undefined); // a node that is not there is gone
}

class FileStateStore implements StateBackend {
  readonly limits: StateBackend['limits'];
  private readonly path: string;
  private readonly memory = new MemoryStateBackend();
  private fd: number;
  private fileBytes: number;
  private liveBytes = 0;
  /** Newest identity that was given to a node, so that none is given again. */
  private newest = 0;
  /** Changes go to the file in the order in which memory took them. */
  private lastWrite: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.path = path;
    this.limits = this.memory.limits;
    if (existsSync(path)) this.recover();
    [this.fd, this.fileBytes] = this.rewrite();
  }

  read(path: string): Promise<StateNode | undefined> {
    return this.memory.read(path);
  }

  list(path: string): Promise<readonly string[]> {
    return this.memory.list(path);
  }

  async multi(ops: readonly StateOp[]): Promise<void> {
    // Memory applies at once, so what is read here is what this multi left.
    const outcome = this.memory.multi(ops).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    const paths = ops.filter(({ op }) => op !== 'check').map((op) => op.path);
    const nodes = Promise.all(paths.map((path) => this.memory.read(path)));
    const done = this.lastWrite.then(async () => {
      const [refused, left] = await Promise.all([outcome, nodes]);
      if (!refused) this.write(paths.map((path, i) => [path, left[i]]));
      return refused;
    });
    // Once the disk has failed, nothing more is acknowledged: what would follow a torn entry could not be read again.
    this.lastWrite = done.then(() => undefined);
    this.lastWrite.catch(() => undefined); // reported to the callers
    const refused = await done;
    if (refused) throw refused.error;
  }

  async close(): Promise<void> {
    await this.lastWrite.catch(() => undefined);
    closeSync(this.fd);
  }

  private write(changes: readonly Change[]): void {
    if (changes.length === 0) return;
    this.noteIdentities(changes);
    const entry = encodeEntry(changes);
    writeSync(this.fd, entry);
    this.fileBytes += entry.length;
    if (this.fileBytes < REWRITE_BYTES || this.fileBytes < 4 * this.liveBytes) return;
    closeSync(this.fd);
    [this.fd, this.fileBytes] = this.rewrite();
  }

  /** Writes what lives into a new file and opens it. */
  private rewrite(): [fd: number, bytes: number] {
    const mark: Change[] = [
      ['/', { data: new Uint8Array(), version: 0, created: String(this.newest) }],
      ['/', undefined],
    ];
    const entries = [...this.memory.entries()].map((change) => encodeEntry([change]));
    const content = Buffer.concat([encodeEntry(mark), ...entries]);
    this.liveBytes = content.length;
    writeFileSync(`${this.path}.new`, content, { mode: 0o600 });
    renameSync(`${this.path}.new`, this.path);
    return [openSync(this.path, constants.O_WRONLY | constants.O_APPEND), content.length];
  }

  /** Applies the file's entries up to the first torn one, which was never acknowledged. */
  private recover(): void {
    for (const changes of decodeEntries(readFileSync(this.path))) {
      this.noteIdentities(changes);
      for (const change of changes) redo(this.memory, change);
    }
  }

  private noteIdentities(changes: readonly Change[]): void {
    for (const [, node] of changes) this.newest = Math.max(this.newest, Number(node?.created ?? 0));
  }
}
