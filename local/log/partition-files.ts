import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { Segment } from './segment.ts';

const SUFFIX = '.log';

/**
 * The segment files of one partition, `<base offset, 20 digits>.log` each. Written with plain writes, without fsync: what was
 * acknowledged survives the death of the process, not that of the machine.
 */
export class PartitionFiles {
  private readonly folder: string;
  /** File that the newest segment goes to. */
  private open: { readonly baseOffset: number; readonly fd: number } | undefined;

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  /** Base offsets of the segments there are, rising. */
  list(): number[] {
    const names = readdirSync(this.folder).filter((name) => /^\d{20}\.log$/.test(name));
    return names.map((name) => Number(name.slice(0, -SUFFIX.length))).sort((a, b) => a - b);
  }

  read(baseOffset: number): Segment {
    const segment = new Segment(baseOffset, true, readFileSync(this.path(baseOffset)));
    segment.recover();
    return segment;
  }

  /** Cuts a torn end off a file, so that what is appended next follows what is good. */
  truncate(segment: Segment): void {
    truncateSync(this.path(segment.baseOffset), segment.used);
  }

  size(baseOffset: number): number {
    return statSync(this.path(baseOffset)).size;
  }

  /** Writes the bytes of `segment` from `start` on. */
  write(segment: Segment, start: number): void {
    const { fd } = this.fileOf(segment);
    let at = start;
    while (at < segment.used) at += writeSync(fd, segment.bytes, at, segment.used - at, at);
  }

  delete(baseOffset: number): void {
    if (this.open?.baseOffset === baseOffset) this.close();
    unlinkSync(this.path(baseOffset));
  }

  close(): void {
    if (this.open) closeSync(this.open.fd);
    this.open = undefined;
  }

  private fileOf(segment: Segment): { readonly fd: number } {
    if (this.open?.baseOffset === segment.baseOffset) return this.open;
    this.close();
    const path = this.path(segment.baseOffset);
    this.open = { baseOffset: segment.baseOffset, fd: openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600) };
    return this.open;
  }

  private path(baseOffset: number): string {
    return join(this.folder, String(baseOffset).padStart(20, '0') + SUFFIX);
  }
}
