import type { BatchMetrics } from '../functions/runtime/metrics.ts';
import { MillraceError } from '../functions/shared/errors.ts';
import { fromStateKey } from '../functions/shared/key.ts';

/** Keys beyond this number are not looked at: a run may last for days, and memory does not. */
const MOST_KEYS = 1_000_000;

/**
 * In which partition each key of a stage has turned up, where its source promises that equal keys stand in one (`keyedByRecordKey`): what a
 * run sees of it. Nothing is kept for the next run.
 */
export class KeyPlacement {
  private readonly partitions = new Map<string, number>();

  /** Takes what a batch reports; the error that ends the run if a key of it has turned up in another partition. */
  note({ topic, partition, keys }: Pick<BatchMetrics, 'topic' | 'partition' | 'keys'>): MillraceError | undefined {
    for (const key of keys) {
      const known = this.partitions.get(key);
      if (known === undefined) {
        if (this.partitions.size < MOST_KEYS) this.partitions.set(key, partition);
      } else if (known !== partition) return inTwoPartitions(topic, key, [known, partition]);
    }
    return undefined;
  }
}

function inTwoPartitions(topic: string, key: string, partitions: readonly [number, number]): MillraceError {
  const [first, second] = [...partitions].sort((a, b) => a - b);
  const printed = JSON.stringify(fromStateKey(key));
  return new MillraceError(
    'MILLRACE_KEY_IN_TWO_PARTITIONS',
    `key ${printed} stands in partitions ${first} and ${second} of topic ${topic}, so its state is split over two tasks: ` +
      'keyedByRecordKey promises that no key does. Remove it, so that the keyBy gets a hop, or have the topic written by this key',
  );
}
