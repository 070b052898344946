import type { NodeOp } from '../coordination.ts';
import type { Done } from './connection.ts';
import type { LibraryAcl, LibraryClient, LibraryTransaction } from './library.ts';

/** The operation that made the server refuse a transaction as a whole. */
export class TransactionFailure extends Error {
  override readonly name = 'TransactionFailure';
  readonly op: NodeOp;
  /** The server's. */
  readonly code: number;

  constructor(op: NodeOp, code: number, cause: Error) {
    super(`${op.op} ${op.path}: ${cause.message}`, { cause });
    this.op = op;
    this.code = code;
  }
}

/** Sends `ops` as one transaction. Fails with a TransactionFailure where the server refused it, so nothing of it was applied. */
export function createTransaction(client: LibraryClient, ops: readonly NodeOp[], acl: LibraryAcl, done: Done<undefined>): void {
  const transaction = client.transaction();
  for (const op of ops) addOp(transaction, op, acl);
  transaction.commit((error, results) => {
    const at = results?.findIndex(({ err = 0 }) => err !== 0) ?? -1;
    const op = ops[at];
    if (error && op) done(new TransactionFailure(op, results?.[at]?.err ?? 0, error), undefined);
    else done(error, undefined);
  });
}

function addOp(transaction: LibraryTransaction, op: NodeOp, acl: LibraryAcl): void {
  if (op.op === 'create') transaction.create(op.path, toBuffer(op.data), acl);
  else if (op.op === 'delete') transaction.remove(op.path);
  else {
    if (op.op === 'set') transaction.setData(op.path, toBuffer(op.data), op.version);
    else transaction.check(op.path, op.version);
    // The builders take version 0 for "any": a compare-and-set on a fresh node would always succeed (invariant I3).
    const added = transaction.ops.at(-1);
    if (added) added.version = op.version;
  }
}

function toBuffer(data: Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
