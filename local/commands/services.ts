import { parseKafkaConfig } from '../../functions/channels/kafka/config.ts';
import type { Coordination } from '../../functions/coordination/coordination.ts';
import { parseZooKeeperConfig } from '../../functions/coordination/zookeeper/config.ts';
import { openZooKeeperStateBackend } from '../../functions/state/zookeeper/state-backend.ts';
import type { CliIo } from '../cli.ts';
import { wrongCall } from '../inspect/action.ts';
import type { HarnessLog } from '../harness-log.ts';
import type { HarnessOptions } from '../harness-options.ts';
import { kafkaHarnessLog } from '../kafka/kafka-harness-log.ts';
import { kafkaVariables } from '../kafka/variables.ts';
import type { Project } from '../project.ts';

/**
 * The real services that a run was told to use, as options of the harness, with what functions need to find them.
 *
 * @param onTrouble - Told of what people may want to know.
 * @throws MILLRACE_CONFIG_INVALID
 */
export function chooseServices(
  project: Project,
  { env, cwd }: Pick<CliIo, 'env' | 'cwd'>,
  onTrouble: (text: string) => void,
): Pick<HarnessOptions, 'log' | 'openState' | 'coordination' | 'env'> {
  const { config } = project;
  const { kafka, zookeeper } = config;
  const variables = zookeeper === undefined ? undefined : { ...env, MILLRACE_ZOOKEEPER: zookeeper };
  const ensemble = variables && parseZooKeeperConfig(variables);
  return {
    ...(ensemble && {
      openState: () => openZooKeeperStateBackend(ensemble),
      // In ZooKeeper state has a session.
      coordination: (state) => state as Coordination,
      env: zookeeperVariables(variables),
    }),
    ...(kafka !== undefined && { log: openLog(kafka, project, cwd, onTrouble) }),
  };
}

/**
 * State that outlives a run needs a log that does: offsets of the next one's would begin at 0 again.
 *
 * @throws MILLRACE_FLAG_INVALID
 */
export function checkServices({ config: { zookeeper, kafka, data, entries } }: Project): void {
  if (zookeeper === undefined || kafka !== undefined || data !== undefined) return;
  const source = entries.find(({ name }) => name === 'zookeeper')?.source ?? '';
  throw wrongCall(
    `zookeeper (${source}) keeps the state of a run, but its log is in memory and ends with it: give --kafka HOST:PORT or --data DIR too`,
  );
}

/** Whether functions log on to Kafka by IAM, so that their bundles need AWS's signer. @throws MILLRACE_CONFIG_INVALID */
export function usesIam({ config: { kafka, kafkaConfig } }: Project, cwd: string): boolean {
  return kafka !== undefined && parseKafkaConfig(kafkaVariables(kafka, kafkaConfig, cwd)).sasl?.mechanism === 'aws-msk-iam';
}

function openLog(brokers: string, project: Project, cwd: string, onTrouble: (text: string) => void): HarnessLog {
  const { plan, config } = project;
  const { kafkaConfig, createTopics, data, zookeeper } = config;
  const env = kafkaVariables(brokers, kafkaConfig, cwd);
  return kafkaHarnessLog({
    ...{ plan, env, onTrouble },
    config: parseKafkaConfig(env),
    createUsersTopics: createTopics,
    state: zookeeper !== undefined ? 'shared' : data !== undefined ? 'local' : 'memory',
  });
}

function zookeeperVariables(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const names = Object.entries(env).filter(([name, value]) => name.startsWith('MILLRACE_ZOOKEEPER') && value !== undefined);
  return { ...(Object.fromEntries(names) as Record<string, string>), MILLRACE_STATE: 'zookeeper' };
}
