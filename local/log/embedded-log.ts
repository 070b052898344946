import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChannelWriter, OutgoingMessage } from '../../functions/channels/channel-writer.ts';
import type { StartPosition, StopPosition } from '../../functions/graph/stage-plan.ts';
import { systemClock, type Clock } from '../../functions/shared/clock.ts';
import { MillraceError } from '../../functions/shared/errors.ts';
import { GroupOffsets } from './group-offsets.ts';
import { LogTransactions } from './log-transactions.ts';
import { toBatch, type MessageBatch } from './message-batch.ts';
import { PartitionFiles } from './partition-files.ts';
import { PartitionLog, type TopicLimits } from './partition-log.ts';
import type { LogRecord } from './segment.ts';
import { encodeTopic, parseTopic } from './topic-file.ts';

export interface EmbeddedLogOptions {
  /** Folder that topics and committed offsets are kept in. @default - in memory */
  readonly dataDir?: string;
  /** Source of log append times. */
  readonly clock?: Clock;
  /** Limits of topics that do not bring their own. */
  readonly limits?: Partial<TopicLimits>;
}

const MIB = 1024 * 1024;
const IN_MEMORY: TopicLimits = { maxMessageBytes: MIB, retentionBytes: 4 * MIB, maxLeadBytes: 4 * MIB };
const ON_DISK: TopicLimits = { maxMessageBytes: MIB, retentionBytes: 64 * MIB, maxLeadBytes: 64 * MIB };

/** Kafka's rule for names of topics. */
const TOPIC_NAME = /^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}$/;

/**
 * The log of the harness: topics of partitions, offsets without gaps, log append times, committed offsets of groups. In memory, or in
 * a folder that a later run takes up again. It serves appends from functions (through the embedded server) and from the harness.
 */
export class EmbeddedLog implements ChannelWriter {
  private readonly topics = new Map<string, readonly PartitionLog[]>();
  readonly groups: GroupOffsets;
  readonly transactions: LogTransactions;
  private readonly folder: string | undefined;
  private readonly clock: Clock;
  private readonly limits: TopicLimits;

  /** @throws MILLRACE_DATA_INVALID */
  constructor(options: EmbeddedLogOptions = {}) {
    this.clock = options.clock ?? systemClock;
    this.limits = { ...(options.dataDir === undefined ? IN_MEMORY : ON_DISK), ...options.limits };
    this.folder = options.dataDir && join(options.dataDir, 'topics');
    if (this.folder) mkdirSync(this.folder, { recursive: true });
    this.groups = new GroupOffsets(options.dataDir && join(options.dataDir, 'offsets.jsonl'));
    for (const name of this.folder ? readdirSync(this.folder) : []) this.openTopic(name);
    this.transactions = new LogTransactions(this, options.dataDir && join(options.dataDir, 'transaction'));
  }

  /** Names of the topics there are, sorted. */
  topicNames(): string[] {
    return [...this.topics.keys()].sort();
  }

  /**
   * Makes a topic, or finds it as it is.
   *
   * @throws MILLRACE_DATA_INVALID it exists with another number of partitions.
   */
  createTopic(name: string, partitions: number, limits: Partial<TopicLimits> = {}): void {
    if (!TOPIC_NAME.test(name))
      throw new MillraceError('MILLRACE_OPTION_INVALID', `'${name}' is no name for a topic: give 1 to 249 of a-z A-Z 0-9 . _ -`);
    const existing = this.topics.get(name);
    if (existing && existing.length !== partitions)
      throw new MillraceError(
        'MILLRACE_DATA_INVALID',
        `topic ${name} has ${existing.length} partitions, the plan wants ${partitions}; keep the parallelism, or start with another --data`,
      );
    if (existing) return;
    this.saveTopic(name, partitions, limits);
    this.topics.set(name, this.partitionsOf(name, partitions, limits));
  }

  partitions(topic: string): readonly PartitionLog[] {
    const partitions = this.topics.get(topic);
    if (partitions) return partitions;
    throw new MillraceError('MILLRACE_TOPIC_MISSING', `there is no topic ${topic}; there are ${this.topicNames().join(', ') || 'none'}`);
  }

  partition(topic: string, partition: number): PartitionLog {
    const partitions = this.partitions(topic);
    const found = partitions[partition];
    if (found) return found;
    throw new MillraceError('MILLRACE_TOPIC_MISSING', `topic ${topic} has partitions 0 to ${partitions.length - 1}, not ${partition}`);
  }

  // Async, so that what it throws rejects.
  async append(topic: string, partition: number, messages: readonly OutgoingMessage[]): Promise<void> {
    await this.partition(topic, partition).append(toBatch(messages));
  }

  /** `append` of a batch in another form; a promise only if it is held back. */
  appendBatch(topic: string, partition: number, batch: MessageBatch): Promise<void> | undefined {
    return this.partition(topic, partition).append(batch);
  }

  partitionCount(topic: string): Promise<number> {
    return new Promise((resolve) => resolve(this.partitions(topic).length));
  }

  endOffset(topic: string, partition: number): number {
    return this.partition(topic, partition).endOffset;
  }

  read(topic: string, partition: number, from: number, limits: { readonly maxRecords: number; readonly maxBytes: number }): LogRecord[] {
    return this.partition(topic, partition).read(from, limits);
  }

  /** Resolves when there is a record at `offset`; rejects with the signal's reason. */
  waitFor(topic: string, partition: number, offset: number, signal?: AbortSignal): Promise<void> {
    const log = this.partition(topic, partition);
    if (log.endOffset > offset) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void): void => {
        stopWatching();
        signal?.removeEventListener('abort', abort);
        finish();
      };
      const abort = (): void => settle(() => reject(signal?.reason as Error));
      const stopWatching = log.watch(() => log.endOffset > offset && settle(resolve));
      signal?.addEventListener('abort', abort);
      if (signal?.aborted) abort();
    });
  }

  /** Registers a group as a reader of a topic: from now on retention keeps what it has not committed. */
  subscribe(group: string, topic: string, start: StartPosition = 'earliest'): void {
    for (const log of this.partitions(topic)) {
      const committed = this.groups.get(group, topic, log.partition);
      const isThere = committed !== undefined && committed <= log.endOffset;
      // As in Kafka, a committed offset beyond the log counts as none.
      log.subscribe(group, isThere ? committed : startOffset(log, start));
    }
  }

  /** Offsets that a position stands for now, by partition; of a partition that it does not name the end. */
  offsetsAt(topic: string, stop: StopPosition): readonly number[] {
    const isNamed = ({ partition }: PartitionLog): boolean =>
      typeof stop === 'string' || 'timestamp' in stop || stop.offsets[topic]?.[partition] !== undefined;
    return this.partitions(topic).map((log) => (isNamed(log) ? startOffset(log, stop) : log.endOffset));
  }

  /** Offset that a subscribed group goes on at. */
  committed(group: string, topic: string, partition: number): number {
    return this.partition(topic, partition).committedOffset(group) ?? 0;
  }

  commit(group: string, topic: string, partition: number, offset: number): void {
    this.groups.set(group, topic, partition, offset);
    this.partition(topic, partition).commit(group, offset);
  }

  close(): Promise<void> {
    for (const partitions of this.topics.values()) for (const partition of partitions) partition.close();
    this.transactions.close();
    this.groups.close();
    return Promise.resolve();
  }

  private partitionsOf(name: string, partitions: number, limits: Partial<TopicLimits>): PartitionLog[] {
    const all = { ...this.limits, ...limits };
    return Array.from({ length: partitions }, (_, partition) => {
      const files = this.folder ? new PartitionFiles(join(this.folder, name, String(partition))) : undefined;
      return new PartitionLog(name, partition, all, this.clock, files);
    });
  }

  private saveTopic(name: string, partitions: number, limits: Partial<TopicLimits>): void {
    if (!this.folder) return;
    mkdirSync(join(this.folder, name), { recursive: true });
    writeFileSync(join(this.folder, name, 'topic.json'), encodeTopic({ partitions, limits }));
  }

  private openTopic(name: string): void {
    const path = join(this.folder ?? '', name, 'topic.json');
    if (!existsSync(path)) return;
    const { partitions, limits } = parseTopic(name, readFileSync(path, 'utf8'));
    this.topics.set(name, this.partitionsOf(name, partitions, limits));
  }
}

function startOffset(log: PartitionLog, start: StartPosition): number {
  if (start === 'earliest') return log.startOffset;
  if (start === 'latest') return log.endOffset;
  if ('timestamp' in start) return log.offsetAt(start.timestamp);
  const offset = start.offsets[log.topic]?.[log.partition] ?? 0;
  return Math.min(Math.max(offset, log.startOffset), log.endOffset);
}
