import type { ChannelWriter, OutgoingMessage } from '../../functions/channels/channel-writer.ts';
import type { TopicAppend, TransactionalLog, TransactionalProducer } from '../../functions/channels/transactional-log.ts';
import { MillraceError } from '../../functions/shared/errors.ts';
import type { Clock } from '../../functions/shared/clock.ts';

export interface LoggedMessage extends OutgoingMessage {
  readonly offset: number;
  readonly timestamp: number;
}

const MAX_MESSAGE_BYTES = 1024 * 1024;

/** Topics in memory, for tests in one process: synchronous inside, so that a run has one order of events. */
export class MemoryLog implements ChannelWriter, TransactionalLog {
  private readonly topics = new Map<string, LoggedMessage[][]>();
  /** By producer: the newest epoch, and the offset that it has committed. */
  private readonly producers = new Map<string, { epoch: number; offset: number | undefined }>();
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  createTopic(topic: string, partitions: number): void {
    if (!this.topics.has(topic))
      this.topics.set(
        topic,
        Array.from({ length: partitions }, () => []),
      );
  }

  async append(topic: string, partition: number, messages: readonly OutgoingMessage[]): Promise<void> {
    const log = this.partition(topic, partition);
    for (const { value } of messages) checkSize(topic, value);
    for (const message of messages) log.push({ ...message, offset: log.length, timestamp: this.clock.now() });
  }

  partitionCount(topic: string): Promise<number> {
    const partitions = this.topics.get(topic);
    return partitions ? Promise.resolve(partitions.length) : Promise.reject(missing(topic));
  }

  partitions(topic: string): readonly (readonly LoggedMessage[])[] {
    const partitions = this.topics.get(topic);
    if (!partitions) throw missing(topic);
    return partitions;
  }

  openProducer(id: string): Promise<TransactionalProducer> {
    const state = this.producers.get(id) ?? { epoch: 0, offset: undefined };
    this.producers.set(id, state);
    const epoch = ++state.epoch;
    return Promise.resolve({
      committed: state.offset,
      commit: async (appends: readonly TopicAppend[], offset: number) => {
        if (state.epoch !== epoch) throw new MillraceError('MILLRACE_FENCED', `there is a newer producer ${id}`);
        // All is checked before anything is appended.
        for (const { topic, partition, messages } of appends) {
          this.partition(topic, partition);
          for (const { value } of messages) checkSize(topic, value);
        }
        for (const { topic, partition, messages } of appends) await this.append(topic, partition, messages);
        state.offset = offset;
      },
      close: () => Promise.resolve(),
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private partition(topic: string, partition: number): LoggedMessage[] {
    const log = this.topics.get(topic)?.[partition];
    if (!log) throw missing(`${topic}-${partition}`);
    return log;
  }
}

function checkSize(topic: string, value: Uint8Array | null): void {
  if (value !== null && value.length > MAX_MESSAGE_BYTES)
    throw new MillraceError(
      'MILLRACE_MESSAGE_TOO_LARGE',
      `a message of ${value.length} bytes for topic ${topic}; at most ${MAX_MESSAGE_BYTES} are allowed`,
    );
}

function missing(topic: string): MillraceError {
  return new MillraceError('MILLRACE_TOPIC_MISSING', `there is no topic ${topic}`);
}
