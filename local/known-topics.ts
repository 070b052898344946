import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseKafkaConfig } from '../functions/channels/kafka/config.ts';
import type { LogicalGraph } from '../functions/graph/logical-graph.ts';
import { namedTopics } from '../functions/graph/topic-patterns.ts';
import type { RunConfig } from './config.ts';
import { withKafkaAdmin } from './kafka/admin.ts';
import { kafkaVariables } from './kafka/variables.ts';

/**
 * Topics of the log that a run with these settings has: those of the cluster, or those of the data folder, and in the embedded log also
 * what the pipeline names, as a run makes it.
 *
 * @throws as `withKafkaAdmin`
 */
export async function knownTopics(graph: LogicalGraph, { kafka, kafkaConfig, data }: RunConfig, cwd: string): Promise<readonly string[]> {
  if (kafka !== undefined) {
    const config = parseKafkaConfig(kafkaVariables(kafka, kafkaConfig, cwd));
    return withKafkaAdmin(config, 'list of topics', (admin) => admin.listTopics());
  }
  return [...(data === undefined ? [] : topicsInFolder(resolve(cwd, data))), ...namedTopics(graph)];
}

function topicsInFolder(data: string): readonly string[] {
  const folder = join(data, 'topics');
  return existsSync(folder) ? readdirSync(folder) : [];
}
