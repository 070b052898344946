import { resolve } from 'node:path';

/**
 * The environment variables by which a function, or `parseKafkaConfig`, finds a cluster. Functions may run in another folder, so the path of a
 * config file is made absolute.
 */
export function kafkaVariables(brokers: string, kafkaConfig: string | undefined, cwd: string): Record<string, string> {
  if (kafkaConfig === undefined) return { MILLRACE_KAFKA: brokers };
  const isText = kafkaConfig.trimStart().startsWith('{');
  return { MILLRACE_KAFKA: brokers, MILLRACE_KAFKA_CONFIG: isText ? kafkaConfig : resolve(cwd, kafkaConfig) };
}
