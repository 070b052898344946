import type { KafkaConfig } from '../../functions/channels/kafka/config.ts';
import type { StartPosition, StopPosition } from '../../functions/graph/stage-plan.ts';
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

/** Offsets that reading a topic ends before, by partition, as they are now. @throws as `withKafkaAdmin` */
export async function stopOffsets(config: KafkaConfig, stop: StopPosition, topic: string): Promise<number[]> {
  return withKafkaAdmin(config, topic, async (admin) => {
    const ranges = (await admin.fetchTopicOffsets(topic)).sort((a, b) => a.partition - b.partition);
    const found =
      typeof stop === 'object' && 'timestamp' in stop ? await admin.fetchTopicOffsetsByTimestamp(topic, stop.timestamp) : undefined;
    return ranges.map(({ partition, high }) => {
      const end = Number(high);
      if (found) return Math.min(end, Number(found.find((one) => one.partition === partition)?.offset ?? end));
      return typeof stop === 'object' && 'offsets' in stop ? Math.min(end, stop.offsets[topic]?.[partition] ?? end) : end;
    });
  });
}
