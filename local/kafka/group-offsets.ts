import type { Admin } from 'kafkajs';
import type { KafkaConfig } from '../../functions/channels/kafka/config.ts';
import { withKafkaAdmin } from './admin.ts';
import { groupRefusal } from './group-refusal.ts';

/** Committed offset of a partition; undefined if there is none. */
export type CommittedOffsets = (topic: string, partition: number) => number | undefined;

/** What a group has committed. @throws as `withKafkaAdmin` */
export async function committedOffsets(config: KafkaConfig, group: string, topics: readonly string[]): Promise<CommittedOffsets> {
  const found = await withGroup(config, group, (admin) => admin.fetchOffsets({ groupId: group, topics: [...topics] }));
  const offsets = new Map<string, number>();
  for (const { topic, partitions } of found) {
    for (const { partition, offset } of partitions) if (Number(offset) >= 0) offsets.set(`${topic}-${partition}`, Number(offset));
  }
  return (topic, partition) => offsets.get(`${topic}-${partition}`);
}

/** Number of members that a group has now. @throws as `withKafkaAdmin` */
export async function groupMembers(config: KafkaConfig, group: string): Promise<number> {
  const { groups } = await withGroup(config, group, (admin) => admin.describeGroups([group]));
  return groups[0]?.members.length ?? 0;
}

function withGroup<T>(config: KafkaConfig, group: string, work: (admin: Admin) => Promise<T>): Promise<T> {
  return withKafkaAdmin(config, `group ${group}`, (admin) =>
    work(admin).catch(async (error: unknown) => {
      throw await groupRefusal(error, config, group);
    }),
  );
}
