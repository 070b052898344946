import { resolve } from 'node:path';
import { type KafkaConfig, parseKafkaConfig } from '../../functions/channels/kafka/config.ts';
import { findKafkaMessage } from '../kafka/message-finder.ts';
import { type FoundMessage, type PartitionRange, readKafkaTopic, type TopicMessage, topicRanges } from '../kafka/topic-reader.ts';
import { kafkaVariables } from '../kafka/variables.ts';
import { readTopicFiles, readTopicMessage } from '../log/topic-snapshot.ts';
import type { Project } from '../project.ts';
import { wrongCall } from './action.ts';

/** The log of a run, for who only looks. */
export interface LogReader {
  /**
   * Calls `onMessage` for each message that is in the topic now, in order within a partition; of transactions only what is committed.
   * Gives what the partitions held.
   *
   * @throws MILLRACE_TOPIC_MISSING
   */
  read(topic: string, onMessage: (message: TopicMessage) => void): Promise<readonly PartitionRange[]>;
  /** One message, if it is there and committed. @throws MILLRACE_TOPIC_MISSING */
  find(topic: string, partition: number, offset: number): Promise<FoundMessage>;
}

/** The log that a run with the same settings has. @throws MILLRACE_FLAG_INVALID it is in memory. */
export function openLogToRead(project: Project, cwd: string): LogReader {
  const config = kafkaConfigOf(project, cwd);
  if (config) return kafkaReader(config);
  const { data } = project.config;
  if (data === undefined)
    throw wrongCall('without --kafka HOST:PORT or --data DIR a run keeps its topics in memory; give what the run was given');
  const folder = resolve(cwd, data);
  return {
    read: (topic, onMessage) => new Promise((done) => done(readTopicFiles(folder, topic, onMessage))),
    find: (topic, partition, offset) => new Promise((done) => done(readTopicMessage(folder, topic, partition, offset))),
  };
}

/** How to reach the Kafka of a run with the same settings; undefined if it has none. @throws MILLRACE_CONFIG_INVALID */
export function kafkaConfigOf({ config: { kafka, kafkaConfig } }: Project, cwd: string): KafkaConfig | undefined {
  return kafka === undefined ? undefined : parseKafkaConfig(kafkaVariables(kafka, kafkaConfig, cwd));
}

function kafkaReader(config: KafkaConfig): LogReader {
  return {
    async read(topic, onMessage) {
      const ranges = await topicRanges(config, topic);
      await readKafkaTopic(config, topic, onMessage);
      return ranges;
    },
    find: (topic, partition, offset) => findKafkaMessage(config, topic, partition, offset),
  };
}
