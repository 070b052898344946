import type { ChannelWriter, OutgoingMessage } from '../channels/channel-writer.ts';

/** Appends for one partition, in order. */
export interface PartitionAppends {
  readonly topic: string;
  readonly partition: number;
  readonly appends: readonly (readonly OutgoingMessage[])[];
}

/**
 * Sends the appends of one partition strictly one after another (I7), partitions side by side. After a failure nothing more is sent, and
 * what is under way is waited for.
 */
export async function appendInOrder(channels: ChannelWriter, partitions: readonly PartitionAppends[]): Promise<void> {
  const failures: unknown[] = [];
  const send = async ({ topic, partition, appends }: PartitionAppends): Promise<void> => {
    try {
      for (const messages of appends) {
        if (failures.length > 0) return;
        await channels.append(topic, partition, messages);
      }
    } catch (error) {
      failures.push(error);
    }
  };
  await Promise.all(partitions.map(send));
  if (failures.length > 0) throw failures[0];
}
