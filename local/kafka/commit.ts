import type { Consumer } from 'kafkajs';
import type { TopicOffset } from './offset-committer.ts';

/**
 * Commits offsets of the consumer's group, or fails. kafkajs 2.2.4 resolves, too, when it has committed nothing because its consumer is about to
 * begin again; only its event tells.
 */
export async function commitOffsets(
  consumer: Pick<Consumer, 'commitOffsets' | 'on' | 'events'>,
  offsets: readonly TopicOffset[],
): Promise<void> {
  const outcome = { isCommitted: false };
  const stopListening = consumer.on(consumer.events.COMMIT_OFFSETS, () => (outcome.isCommitted = true));
  try {
    await consumer.commitOffsets(offsets.map(({ offset, ...partition }) => ({ ...partition, offset: String(offset) })));
  } finally {
    stopListening();
  }
  if (!outcome.isCommitted) throw new Error('the consumer does not run, and has committed nothing');
}
