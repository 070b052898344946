import type { ChannelWriter, OutgoingMessage } from '../../functions/channels/channel-writer.ts';
import { MillraceError } from '../../functions/shared/errors.ts';
import type { Clock } from '../../functions/shared/clock.ts';

export interface LoggedMessage extends OutgoingMessage {
  readonly offset: number;
  readonly timestamp: number;
}

const MAX_MESSAGE_BYTES = 1024 * 1024;

/** Topics in memory, for tests in one process: synchronous inside, so that a run has one order of events. */
export class MemoryLog implements ChannelWriter {
  private readonly topics = new Map<string, LoggedMessage[][]>();
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
