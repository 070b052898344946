import type { TopicProduction } from './stage-plan.ts';

/** How the messages of a topic can be compressed, by Kafka's names; the place of each is Kafka's number of it. */
export const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const satisfies readonly TopicProduction['compression'][];
