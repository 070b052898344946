import { type KafkaConfig, parseKafkaConfig } from '../../functions/channels/kafka/config.ts';
import { type KafkaProxy, openKafkaProxy } from '../helpers/kafka-proxy.ts';
import { openTcpProxy, type TcpProxy } from '../helpers/tcp-proxy.ts';
import { openEnsemble, openKafka } from '../services/instances.ts';
import type { Server } from '../services/server.ts';
import type { ZooKeeperEnsemble } from '../services/zookeeper-ensemble.ts';

/** Of the pipeline's sessions with ZooKeeper, in ms. */
export const SESSION_MS = 4000;
const REQUEST_MS = 2000;

/** A broker and an ensemble of a run's own, each server behind a proxy. The pipeline knows the proxies only, the run itself the servers. */
export interface Cluster {
  readonly kafka: Server;
  readonly ensemble: ZooKeeperEnsemble;
  readonly kafkaProxy: KafkaProxy;
  readonly zookeeperProxies: readonly TcpProxy[];
  /** Past the proxy. */
  readonly kafkaConfig: KafkaConfig;
  /** How the pipeline gets there: arguments and variables of `millrace dev`. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

export async function openCluster(): Promise<Cluster> {
  const closing: (() => Promise<void>)[] = [];
  const remove = async (): Promise<void> => {
    await Promise.all(closing.map((close) => close()));
  };
  try {
    const [kafka, ensemble] = await Promise.all([
      openKafka().then((opened) => (closing.push(() => opened.remove()), opened)),
      openEnsemble().then((opened) => (closing.push(() => opened.remove()), opened)),
    ]);
    const kafkaProxy = await openKafkaProxy(kafka.address);
    const zookeeperProxies = await Promise.all(ensemble.members.map(({ address }) => openTcpProxy(address)));
    closing.push(...[kafkaProxy, ...zookeeperProxies].map((proxy) => () => proxy.close()));
    return {
      ...{ kafka, ensemble, kafkaProxy, zookeeperProxies, remove },
      kafkaConfig: parseKafkaConfig({ MILLRACE_KAFKA: kafka.address }),
      args: ['--kafka', kafkaProxy.address, '--zookeeper', zookeeperProxies.map(({ address }) => address).join()],
      env: { MILLRACE_ZOOKEEPER_SESSION_MS: String(SESSION_MS), MILLRACE_ZOOKEEPER_REQUEST_MS: String(REQUEST_MS) },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
