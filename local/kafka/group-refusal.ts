import type { KafkaConfig } from '../../functions/channels/kafka/config.ts';
import { createCluster } from '../../functions/channels/kafka/kafkajs-cluster.ts';

const GROUP = 0;
const NO_COORDINATOR = 'KafkaJSGroupCoordinatorNotFound';

/**
 * What brokers say of a group's coordinator where kafkajs 2.2.4 only says that it has found none: it asks each of them, and drops the answers, a
 * missing right to the group among them. Any other error as it is.
 */
export async function groupRefusal(error: unknown, config: KafkaConfig, group: string): Promise<unknown> {
  if (!isUnfound(error)) return error;
  const cluster = await createCluster(config);
  try {
    await cluster.connect();
    await cluster.refreshMetadata();
    const broker = await cluster.findControllerBroker();
    await broker.findGroupCoordinator({ groupId: group, coordinatorType: GROUP });
    return error; // it is there again
  } catch (refusal) {
    return refusal;
  } finally {
    await cluster.disconnect();
  }
}

function isUnfound(error: unknown): boolean {
  const { name, cause } = (error ?? {}) as { readonly name?: unknown; readonly cause?: unknown };
  return name === NO_COORDINATOR || (cause !== undefined && isUnfound(cause));
}
