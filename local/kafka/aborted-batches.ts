/** A transaction that was aborted, as brokers list it in an answer to a fetch: in order of its end, not of its beginning. */
export interface AbortedTransaction {
  /** Decimal. */
  readonly producerId: string;
  /** Decimal. */
  readonly firstOffset: string;
}

/** What tells whether a batch belongs to an aborted transaction. */
export interface TransactionalBatch {
  readonly producerId: string;
  readonly lastOffset: number;
  readonly isTransactional: boolean;
  readonly isAbortMarker: boolean;
}

/**
 * Tells of each batch of a partition, asked in order, whether it is part of an aborted transaction. By Kafka's rule: what a producer writes in a
 * transaction is void from the first offset of an aborted one up to the producer's next abort marker.
 */
export function abortedBatches(transactions: readonly AbortedTransaction[]): (batch: TransactionalBatch) => boolean {
  const ahead = transactions
    .map(({ producerId, firstOffset }) => ({ producerId, firstOffset: Number(firstOffset) }))
    .sort((a, b) => b.firstOffset - a.firstOffset);
  const open = new Set<string>();
  return ({ producerId, lastOffset, isTransactional, isAbortMarker }) => {
    for (let next = ahead.at(-1); next && next.firstOffset <= lastOffset; next = ahead.at(-1)) {
      open.add(next.producerId);
      ahead.pop();
    }
    if (isAbortMarker) open.delete(producerId);
    return isTransactional && open.has(producerId);
  };
}
