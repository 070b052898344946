import { closeSync, constants, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { decodeTransaction, type EncodedTransaction, encodeTransaction } from '../../functions/channels/embedded/transaction-layout.ts';
import { MillraceError } from '../../functions/shared/errors.ts';
import { crc32c } from '../../functions/shared/hash.ts';

/** A transaction and where each of its parts begins. */
export interface BegunTransaction {
  readonly transaction: EncodedTransaction;
  readonly bases: readonly number[];
}

const HEAD_BYTES = 12;

/**
 * The last transaction that was begun, as a note to the next process: u32 length, u32 crc32c of what follows, u32 number of parts, a f64 base
 * offset for each, the transaction. The next one is written over it. Written without fsync, as all of the log.
 */
export class TransactionFile {
  /** What the file held when it was opened; undefined if nothing, or a note that was cut short: then its transaction had not begun. */
  readonly begun: BegunTransaction | undefined;
  private fd: number | undefined;

  constructor(path: string) {
    this.begun = existsSync(path) ? decodeNote(readFileSync(path)) : undefined;
    this.fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  }

  begin(transaction: EncodedTransaction, bases: readonly number[]): void {
    const body = encodeTransaction(transaction);
    const note = Buffer.allocUnsafe(HEAD_BYTES + 8 * bases.length + body.length);
    note.writeUInt32LE(note.length, 0);
    note.writeUInt32LE(bases.length, 8);
    bases.forEach((base, i) => note.writeDoubleLE(base, HEAD_BYTES + 8 * i));
    note.set(body, HEAD_BYTES + 8 * bases.length);
    note.writeUInt32LE(crc32c(note.subarray(8)), 4);
    if (this.fd === undefined) throw new MillraceError('MILLRACE_PRODUCE_FAILED', 'the log was closed');
    let at = 0;
    while (at < note.length) at += writeSync(this.fd, note, at, note.length - at, at);
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
  }
}

function decodeNote(file: Buffer): BegunTransaction | undefined {
  if (file.length < HEAD_BYTES) return undefined;
  const note = file.subarray(0, file.readUInt32LE(0));
  if (note.length < HEAD_BYTES || note.length !== file.readUInt32LE(0) || crc32c(note.subarray(8)) !== note.readUInt32LE(4))
    return undefined;
  const count = note.readUInt32LE(8);
  const bases = Array.from({ length: count }, (_, i) => note.readDoubleLE(HEAD_BYTES + 8 * i));
  return { transaction: decodeTransaction(note.subarray(HEAD_BYTES + 8 * count)), bases };
}
