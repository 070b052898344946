import type { Consumer, ConsumerGroupJoinEvent, EachBatchPayload } from 'kafkajs';
import { createKafkaClient } from '../../functions/channels/kafka/client.ts';
import type { KafkaConfig } from '../../functions/channels/kafka/config.ts';
import { toKafkaError } from '../../functions/channels/kafka/kafka-error.ts';
import type { StartPosition } from '../../functions/graph/stage-plan.ts';
import { isMillraceError, MillraceError } from '../../functions/shared/errors.ts';
import type { EventRecords } from '../emulator/event-records.ts';
import { endOf, type InputEnds, type MappingInput } from '../emulator/mapping-input.ts';
import { registerReaders } from './codecs.ts';
import { commitOffsets } from './commit.ts';
import { recordsOf } from './fetched-records.ts';
import { committedOffsets } from './group-offsets.ts';
import { groupRefusal } from './group-refusal.ts';
import { OffsetCommitter } from './offset-committer.ts';
import { PrefetchWindow } from './prefetch-window.ts';
import { withRawFetch } from './raw-fetch.ts';
import { startOffset } from './start-offset.ts';
import { topicRanges } from './topic-reader.ts';

/** A member that says nothing for so long is taken for dead, in ms; after a kill -9 the next run waits as long. */
export const SESSION_MS = 10_000;
const HEARTBEAT_MS = 1000;
/** Longest wait of a fetch for new records, and so of a partition that is resumed, in ms. */
const FETCH_WAIT_MS = 100;
/** How often commits on partitions of other members are looked at, in ms. */
const REMIND_MS = 500;

export interface KafkaInputOptions {
  readonly config: KafkaConfig;
  readonly group: string;
  readonly topics: readonly string[];
  /** Where to begin in a partition without a committed offset. */
  readonly start: StartPosition;
  /** Where reading ends. @default - it does not */
  readonly ends?: InputEnds | undefined;
  /** Something that people may want to know, and that needs nothing done. */
  readonly onTrouble: (text: string) => void;
}

/**
 * Reads topics of a real Kafka as a member of a consumer group, with a bounded window a partition. When another member joins, the
 * partitions that it gets stop here: a batch under way may end, but commits nothing.
 *
 * @throws MILLRACE_TOPIC_MISSING, MILLRACE_NOT_AUTHORIZED, MILLRACE_AUTHENTICATION_FAILED, MILLRACE_CONNECTION_LOST
 */
export async function openKafkaInput(options: KafkaInputOptions): Promise<MappingInput> {
  registerReaders();
  const counts = await Promise.all(
    options.topics.map(async (topic) => [topic, (await topicRanges(options.config, topic)).length] as const),
  );
  return new KafkaInput(options, counts);
}

class KafkaInput implements MappingInput {
  readonly bootstrapServers: string;
  readonly partitions: readonly PrefetchWindow[];
  private readonly options: KafkaInputOptions;
  private readonly consumer: Consumer;
  private readonly committer: OffsetCommitter;
  /** What the cluster is known to have committed of our partitions. Offsets of a group go with their topic. */
  private readonly confirmed = new Map<PrefetchWindow, number>();
  /** Resolves when what the group last agreed on is in force. */
  private assigned: Promise<void> = Promise.resolve();
  private breakDown: (error: unknown) => void = () => undefined;
  private end: () => void = () => undefined;
  private reminder: NodeJS.Timeout | undefined;
  private isConnected = false;
  private isBroken = false;
  /** Number of partitions that were ours when the group last found together. */
  private share: number | undefined;

  constructor(options: KafkaInputOptions, counts: readonly (readonly [topic: string, partitions: number])[]) {
    this.options = options;
    const { config, group } = options;
    this.bootstrapServers = config.brokers.join(',');
    this.partitions = counts.flatMap(([topic, count]) => Array.from({ length: count }, (_, partition) => this.window(topic, partition)));
    this.consumer = withRawFetch(createKafkaClient(config)).consumer({
      groupId: group,
      sessionTimeout: SESSION_MS,
      heartbeatInterval: HEARTBEAT_MS,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      allowAutoTopicCreation: false,
      retry: { retries: 8, initialRetryTime: 100, maxRetryTime: 2000 },
    });
    this.committer = new OffsetCommitter(
      (offsets) => commitOffsets(this.consumer, offsets),
      ({ topic, partition, offset }) => this.confirm(this.find(topic, partition), offset),
    );
  }

  isHeldBack(): boolean {
    return false; // Kafka has room, and retention for what is in it
  }

  watchRoom(): () => void {
    return () => undefined;
  }

  run(): Promise<void> {
    const broken = new Promise<void>((resolve, reject) => {
      this.end = resolve;
      this.breakDown = (error) => {
        this.isBroken = true;
        this.describe(error).then(reject, reject);
      };
    });
    this.join().catch((error: unknown) => this.breakDown(error));
    return broken;
  }

  async close(): Promise<void> {
    clearInterval(this.reminder);
    if (this.isConnected) {
      await this.committer.close();
      await this.consumer.disconnect();
    }
    this.end();
  }

  private async join(): Promise<void> {
    const { consumer } = this;
    const { topics, onTrouble } = this.options;
    consumer.on(consumer.events.GROUP_JOIN, (event) => {
      this.assigned = this.assigned.then(() => this.assign(event)).catch((error: unknown) => this.breakDown(error));
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (payload.restart) onTrouble(`reading ${topics.join(', ')} was interrupted and begins again: ${payload.error.message}`);
      else this.breakDown(payload.error);
    });
    await consumer.connect();
    this.isConnected = true;
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      partitionsConsumedConcurrently: this.partitions.length,
      eachBatch: (payload) => this.take(payload),
    });
    this.reminder = setInterval(() => {
      for (const window of this.partitions) window.remind();
    }, REMIND_MS);
    this.reminder.unref();
  }

  /** What the group has agreed on: all partitions that are newly ours go on at the group's offsets. */
  private async assign({ payload }: ConsumerGroupJoinEvent): Promise<void> {
    const isAssigned = ({ topic, partition }: PrefetchWindow): boolean => payload.memberAssignment[topic]?.includes(partition) ?? false;
    for (const window of this.partitions.filter((one) => one.isOurs && !isAssigned(one))) {
      window.revoke();
      this.committer.forget(window.topic, window.partition);
    }
    // A topic that was away makes the group find together anew, too.
    await this.checkConfirmed();
    await this.grant(this.partitions.filter((one) => !one.isOurs && isAssigned(one)));
    this.tellShare();
  }

  private async grant(fresh: readonly PrefetchWindow[]): Promise<void> {
    if (fresh.length === 0) return;
    const { config, group, topics, start } = this.options;
    const committed = await committedOffsets(config, group, topics);
    for (const window of fresh) {
      const { topic, partition } = window;
      const known = committed(topic, partition);
      const position = known ?? (await startOffset(config, start, topic, partition));
      this.consumer.seek({ topic, partition, offset: String(position) });
      window.grant(position);
      if (known !== undefined) this.confirm(window, known);
      // Else the next run would begin at what is the latest then.
      if (known === undefined) this.committer.add({ topic, partition, offset: position });
    }
  }

  private tellShare(): void {
    const { group, topics, onTrouble } = this.options;
    const all = this.partitions.length;
    const share = this.partitions.filter(({ isOurs }) => isOurs).length;
    const before = this.share;
    this.share = share;
    if (share === before) return;
    if (share < all)
      onTrouble(
        `another run of this pipeline is at work (group ${group}): of ${topics.join(', ')} this one has ${share} of ${all} partitions now. ` +
          'Both commit to the same tasks, whose fences let one through at a time',
      );
    else if (before !== undefined) onTrouble(`this run has all ${all} partitions of ${topics.join(', ')} again (group ${group})`);
  }

  private async take(payload: EachBatchPayload): Promise<void> {
    await this.assigned;
    if (payload.isStale() || this.isBroken) return;
    const { batch } = payload;
    const window = this.find(batch.topic, batch.partition);
    const batches = batch.messages.map((message) => ({ records: recordsOf(message), end: Number(message.offset) + 1 }));
    // In a log that ends before its position the client begins anew, of itself.
    if (window && firstOffset(batches) < (this.confirmed.get(window) ?? 0)) {
      const error = await this.checkConfirmed().then(
        () => undefined,
        (reason: unknown) => ({ reason }),
      );
      if (error) {
        this.breakDown(error.reason);
        return;
      }
    }
    const highWatermark = Number(batch.highWatermark);
    for (const { records, end } of batches) window?.push(records, end, highWatermark);
  }

  private confirm(window: PrefetchWindow | undefined, offset: number): void {
    if (!window?.isOurs) return;
    this.confirmed.set(window, Math.max(offset, this.confirmed.get(window) ?? 0));
    window.acknowledge(offset);
  }

  /** @throws MILLRACE_TOPIC_WENT_BACK the group has lost what it had committed: what comes next would be taken for known. */
  private async checkConfirmed(): Promise<void> {
    const before = [...this.confirmed];
    if (before.length === 0) return;
    const { config, group, topics } = this.options;
    const committed = await committedOffsets(config, group, topics).catch(unlessLost);
    if (!committed) return; // the next batch asks again
    for (const [{ topic, partition }, offset] of before) {
      const now = committed(topic, partition);
      if (now !== undefined && now >= offset) continue;
      throw new MillraceError(
        'MILLRACE_TOPIC_WENT_BACK',
        `group ${group} had committed offset ${offset} of ${topic}-${partition}, and now has ${now ?? 'none'}: the topic has been deleted while it was ` +
          'read. Restore it, or start with another --namespace',
      );
    }
  }

  private window(topic: string, partition: number): PrefetchWindow {
    const { config, group, ends } = this.options;
    const owner = {
      pause: (): void => this.consumer.pause([{ topic, partitions: [partition] }]),
      resume: (): void => this.consumer.resume([{ topic, partitions: [partition] }]),
      commit: (_topic: string, _partition: number, offset: number): void => this.committer.add({ topic, partition, offset }),
      endOffset: async (): Promise<number> => (await topicRanges(config, topic)).find((range) => range.partition === partition)?.high ?? 0,
      committedOffset: async (): Promise<number> => (await committedOffsets(config, group, [topic]))(topic, partition) ?? 0,
    };
    return new PrefetchWindow(owner, topic, partition, endOf(ends, topic, partition));
  }

  private find(topic: string, partition: number): PrefetchWindow | undefined {
    return this.partitions.find((window) => window.topic === topic && window.partition === partition);
  }

  private async describe(error: unknown): Promise<Error> {
    const { config, group, topics } = this.options;
    const resource = `group ${group}, topics ${topics.join(', ')}`;
    return toKafkaError(await groupRefusal(error, config, group), {
      action: 'reading',
      resource,
      brokers: config.brokers,
      fallback: 'MILLRACE_CONNECTION_LOST',
    });
  }
}

function unlessLost(error: unknown): undefined {
  if (!isMillraceError(error) || error.retry === 'never') throw error;
}

/** Of the first record; where there is none, of what stands in its place. */
function firstOffset(batches: readonly { readonly records: EventRecords; readonly end: number }[]): number {
  const first = batches.find(({ records }) => records.count > 0) ?? batches[0];
  if (!first) return 0;
  return first.records.count > 0 ? first.records.offsetAt(0) : first.end - 1;
}
