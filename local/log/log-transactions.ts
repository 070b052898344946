import type { EncodedPart, EncodedTransaction } from '../../functions/channels/embedded/transaction-layout.ts';
import { messageEnd } from '../../functions/channels/embedded/message-layout.ts';
import { MillraceError } from '../../functions/shared/errors.ts';
import type { GroupOffsets } from './group-offsets.ts';
import { toEncodedBatch } from './message-batch.ts';
import type { PartitionLog } from './partition-log.ts';
import { TransactionFile } from './transaction-file.ts';

/** What transactions need of the log. */
export interface TransactionTarget {
  partition(topic: string, partition: number): PartitionLog;
  readonly groups: GroupOffsets;
}

/**
 * Transactions of the embedded log. Each is applied in one synchronous step, so readers see all of it or nothing. With a file it is
 * noted there first, and a process that dies in between carries it out when it starts again.
 */
export class LogTransactions {
  private readonly target: TransactionTarget;
  private readonly file: TransactionFile | undefined;
  /** Newest epoch of each producer; functions do not outlive this process, so nobody holds an older one after a restart. */
  private readonly epochs = new Map<string, number>();

  /** Finishes what an earlier process has begun. @throws MILLRACE_DATA_INVALID */
  constructor(target: TransactionTarget, path?: string) {
    this.target = target;
    this.file = path === undefined ? undefined : new TransactionFile(path);
    const begun = this.file?.begun;
    if (begun) this.apply(begun.transaction, begun.bases);
  }

  /** A new producer of this id; older ones are shut out. */
  openProducer(id: string, topic: string, partition: number): { readonly epoch: number; readonly committed: number | undefined } {
    this.target.partition(topic, partition);
    const epoch = (this.epochs.get(id) ?? 0) + 1;
    this.epochs.set(id, epoch);
    return { epoch, committed: this.target.groups.get(id, topic, partition) };
  }

  /** @throws MILLRACE_FENCED, MILLRACE_TOPIC_MISSING, MILLRACE_MESSAGE_TOO_LARGE, MILLRACE_PRODUCE_FAILED: nothing was appended. */
  commit(transaction: EncodedTransaction): void {
    const { id, epoch, parts } = transaction;
    if (this.epochs.get(id) !== epoch)
      throw new MillraceError(
        'MILLRACE_FENCED',
        `producer ${id}: there is a newer one, of epoch ${this.epochs.get(id) ?? 0}; this is ${epoch}`,
      );
    const logs = parts.map((part) => this.target.partition(part.topic, part.partition));
    parts.forEach((part, i) => logs[i]?.check(toEncodedBatch(part.count, part.body)));
    const bases = logs.map(({ endOffset }, i) =>
      parts.slice(0, i).reduce((base, part, j) => (logs[j] === logs[i] ? base + part.count : base), endOffset),
    );
    this.file?.begin(transaction, bases);
    this.apply(transaction, bases);
  }

  close(): void {
    this.file?.close();
  }

  /** Appends what is not there yet: `bases` are the offsets at which the parts begin. */
  private apply({ id, topic, partition, offset, parts }: EncodedTransaction, bases: readonly number[]): void {
    parts.forEach((part, i) => {
      const log = this.target.partition(part.topic, part.partition);
      const there = Math.min(part.count, log.endOffset - (bases[i] ?? 0));
      if (there < 0)
        throw new MillraceError(
          'MILLRACE_DATA_INVALID',
          `${part.topic}-${part.partition} is shorter than a transaction that was begun on it`,
        );
      log.appendNow(toEncodedBatch(part.count - there, without(part, there)));
    });
    this.target.groups.set(id, topic, partition, offset);
  }
}

/** The messages of a part behind the first `count`. */
function without({ body }: EncodedPart, count: number): Buffer {
  let at = 0;
  for (let i = 0; i < count; i++) at = messageEnd(body, at);
  return body.subarray(at);
}
