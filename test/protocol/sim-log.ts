import type { ChannelWriter, OutgoingMessage } from '../../functions/channels/channel-writer.ts';
import { MillraceError } from '../../functions/shared/errors.ts';
import type { Owner, Simulator } from './simulator.ts';

export interface LogEntry extends OutgoingMessage {
  readonly offset: number;
  readonly time: number;
}

/** Names an append for faults and counts, by topic: `channel`, `dead letter` or `sink`. */
export type NameTopic = (topic: string) => string;

/**
 * Kafka as protocol.md assumes it: an append is there whole or not at all, its outcome may be unknown or come late. Log append times come
 * from a counter, so they never go back.
 */
export class SimLog {
  /** Largest message that a topic takes, in bytes. */
  maxMessageBytes = 0x100000;
  private readonly simulator: Simulator;
  private readonly nameTopic: NameTopic;
  private readonly topics = new Map<string, LogEntry[][]>();
  private clock = 0;

  constructor(simulator: Simulator, nameTopic: NameTopic) {
    this.simulator = simulator;
    this.nameTopic = nameTopic;
  }

  createTopic(topic: string, partitions: number): void {
    this.topics.set(
      topic,
      Array.from({ length: partitions }, () => []),
    );
  }

  partition(topic: string, partition: number): LogEntry[] {
    const found = this.topics.get(topic)?.[partition];
    if (found) return found;
    throw new MillraceError('MILLRACE_TOPIC_MISSING', `simulated: ${topic}-${partition}`);
  }

  partitions(topic: string): readonly (readonly LogEntry[])[] {
    return this.topics.get(topic) ?? [];
  }

  /** Lets time pass: the next message is appended this much later. */
  pass(ms: number): void {
    this.clock += ms;
  }

  /** Appends at the end, or behind a gap at `offset`; `time` in place of the log's own (CreateTime). */
  put(topic: string, partition: number, message: OutgoingMessage, offset?: number, time?: number): void {
    const log = this.partition(topic, partition);
    log.push({ ...message, offset: offset ?? (log.at(-1)?.offset ?? -1) + 1, time: time ?? ++this.clock });
  }

  /** The log as one environment sees it; `step` tells its awaits apart. */
  connect(owner: Owner, step: 'A6' | 'S3' | 'R1'): ChannelWriter {
    return {
      append: (topic, partition, messages) => {
        const point = `${step} ${this.nameTopic(topic)}`;
        return this.simulator.call(owner, point, () => {
          this.append(point, topic, partition, messages);
        });
      },
      partitionCount: (topic) => this.simulator.call(owner, `${step} partition count`, () => this.count(step, topic)),
      close: () => Promise.resolve(),
    };
  }

  private append(point: string, topic: string, partition: number, messages: readonly OutgoingMessage[]): void {
    this.partition(topic, partition);
    const large = messages.find(({ value }) => (value?.length ?? 0) > this.maxMessageBytes);
    if (large) throw new MillraceError('MILLRACE_MESSAGE_TOO_LARGE', `simulated: ${large.value?.length ?? 0} bytes`);
    const put = (): void => {
      for (const message of messages) this.put(topic, partition, message);
    };
    const fault = this.simulator.fault(0.04, point, 'produce lost', 'produce unacknowledged', 'produce late');
    if (fault === 'produce late') this.simulator.later(`late ${point}`, 5 + this.simulator.extent(80, 0.1), put);
    else if (fault !== 'produce lost') put();
    this.simulator.log(`append ${topic}-${partition} (${messages.length})`);
    if (fault !== undefined) throw new MillraceError('MILLRACE_PRODUCE_FAILED', `simulated: ${fault}`);
  }

  private count(step: string, topic: string): number {
    if (this.simulator.fault(0.02, `${step} partition count`, 'metadata lost') !== undefined) {
      throw new MillraceError('MILLRACE_CONNECTION_LOST', 'simulated: no metadata');
    }
    return this.partitions(topic).length;
  }
}
