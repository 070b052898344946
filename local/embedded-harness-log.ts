import { openEmbeddedInput } from './emulator/embedded-input.ts';
import type { FeedTopic, HarnessLog, ResultMessage, TopicContents } from './harness-log.ts';
import type { HarnessOptions } from './harness-options.ts';
import type { EmbeddedLog } from './log/embedded-log.ts';
import { toValueBatch } from './log/message-batch.ts';
import { failureTopics, inputTopics, startOf, usersTopics } from './stage-topics.ts';

const DEFAULT_FEED_LEAD_BYTES = 512 * 1024;
/** What stays in memory of an internal topic when every mapping has it; on disk the log's own default holds. */
const INTERNAL_RETENTION_BYTES = 1024 * 1024;
const DEFAULT_TOPIC_PARTITIONS = 4;
const READ = { maxRecords: 10_000, maxBytes: 8 * 1024 * 1024 };

/** The embedded log as the one that a pipeline runs on. */
export function embeddedHarnessLog(log: EmbeddedLog, options: HarnessOptions): HarnessLog {
  return {
    writer: log,
    env: { MILLRACE_LOG: 'embedded' },
    // On disk it would be, but what is in it shall be seen in the results.
    isDurable: false,
    prepare() {
      createTopics(log, options);
      return Promise.resolve();
    },
    openInput(stage, ends) {
      const outputTopics = stage.outputs.map(({ topic }) => topic);
      const startingPosition = startOf(stage);
      return Promise.resolve(
        openEmbeddedInput(log, { group: stage.group, topics: inputTopics(stage), outputTopics, startingPosition, ends }),
      );
    },
    openFeed: (topic) => Promise.resolve(embeddedFeedTopic(log, topic)),
    isFull: (topic, partition) => log.partition(topic, partition).isHoldingBack,
    stopOffsets: (topic, stop) => Promise.resolve(log.offsetsAt(topic, stop)),
    ends: (topic) => Promise.resolve(log.partitions(topic).map(({ endOffset }) => endOffset)),
    contents: (topic) => Promise.resolve(contentsOf(log, topic)),
    // The harness closes the log itself, as functions append to it to the last.
    close: () => Promise.resolve(),
  };
}

function createTopics(log: EmbeddedLog, options: HarnessOptions): void {
  const { plan, topicPartitions = {}, feedLeadBytes = DEFAULT_FEED_LEAD_BYTES, dataDir } = options;
  const internal = dataDir === undefined ? { retentionBytes: INTERNAL_RETENTION_BYTES } : {};
  for (const { topic, partitions } of plan.feeds) log.createTopic(topic, partitions, { ...internal, maxLeadBytes: feedLeadBytes });
  for (const { topic, partitions } of plan.channels) {
    log.createTopic(topic, partitions, internal);
    // A function that waits keeps its slot, which the stage that would make room may need. So its mapping waits instead.
    for (const partition of log.partitions(topic)) partition.neverHold();
  }
  for (const { topic } of plan.collects ?? []) log.createTopic(topic, 1);
  log.createTopic(plan.deadLetterTopic, 1);
  for (const topic of usersTopics(plan)) log.createTopic(topic, topicPartitions[topic] ?? DEFAULT_TOPIC_PARTITIONS);
  for (const topic of failureTopics(plan)) log.createTopic(topic, 1, { maxMessageBytes: 2_097_152 });
}

/** Exported for its tests. */
export function embeddedFeedTopic(log: EmbeddedLog, topic: string): FeedTopic {
  const partitions = log.partitions(topic);
  let held: Promise<void>[] = [];
  return {
    ends: partitions.map(({ endOffset }) => endOffset),
    get isHeldBack() {
      return held.length > 0;
    },
    append(lists) {
      held = [];
      lists.forEach((list, partition) => {
        const waiting = list.length === 0 ? undefined : partitions[partition]?.append(toValueBatch(list));
        if (waiting) held.push(waiting);
      });
      return held.length > 0 ? Promise.all(held) : undefined;
    },
    close: () => Promise.resolve(),
  };
}

/** Exported for its tests. */
export function contentsOf(log: EmbeddedLog, topic: string): TopicContents {
  const partitions = log.partitions(topic);
  return {
    written: partitions.reduce((sum, { endOffset }) => sum + endOffset, 0),
    left: partitions.reduce((sum, { startOffset }) => sum + startOffset, 0),
    why: 'are no longer held; --data keeps more',
    messages: { [Symbol.iterator]: () => readTopic(log, topic) },
  };
}

function* readTopic(log: EmbeddedLog, topic: string): Generator<ResultMessage> {
  for (const { partition, startOffset, endOffset } of log.partitions(topic)) {
    for (let from = startOffset; from < endOffset;) {
      const records = log.read(topic, partition, from, READ);
      if (records.length === 0) break;
      yield* records;
      from = (records.at(-1)?.offset ?? endOffset) + 1;
    }
  }
}
