import type { KafkaConfig } from '../../functions/channels/kafka/config.ts';
import type { StartPosition } from '../../functions/graph/stage-plan.ts';
import { withKafkaAdmin } from './admin.ts';

/** Offset at which a group without a committed one begins in a partition. @throws as `withKafkaAdmin` */
export async function startOffset(config: KafkaConfig, start: StartPosition, topic: string, partition: number): Promise<number> {
  return withKafkaAdmin(config, topic, async (admin) => {
    const range = (await admin.fetchTopicOffsets(topic)).find((one) => one.partition === partition);
    const [low, high] = [Number(range?.low ?? 0), Number(range?.high ?? 0)];
    if (start === 'earliest') return low;
    if (start === 'latest') return high;
    if ('offsets' in start) return Math.min(Math.max(start.offsets[topic]?.[partition] ?? low, low), high);
    const found = await admin.fetchTopicOffsetsByTimestamp(topic, start.timestamp);
    return Number(found.find((one) => one.partition === partition)?.offset ?? high);
  });
}
