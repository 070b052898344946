/** Servers of a test's own, which it may kill: own data, own ports. Call `remove` when done; `npm run services -- down` ends those whose test died. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { mark } from './abandoned.ts';
import { fetchJars } from './artifacts.ts';
import { kafkaBroker, type KafkaOptions, kafkaPortCount } from './kafka-broker.ts';
import { servicesPlace } from './place.ts';
import { findFreePorts } from './ports.ts';
import { Server } from './server.ts';
import { ensemblePortCount, type EnsembleOptions, ZooKeeperEnsemble } from './zookeeper-ensemble.ts';
import { type ZooKeeperOptions, zooKeeperServer } from './zookeeper-server.ts';

/** A started broker; 3.9 without TLS unless told otherwise. */
export async function openKafka(options: Partial<Pick<KafkaOptions, 'name' | 'hasTls' | 'properties' | 'compiler'>> = {}): Promise<Server> {
  const { name = 'kafka', hasTls = false, compiler = 'quick', properties } = options;
  const firstPort = await findFreePorts(kafkaPortCount);
  const broker = kafkaBroker({
    name,
    hasTls,
    compiler,
    properties: { ...quickRecovery, ...properties },
    firstPort,
    folder: freshFolder(name),
    jars: () => fetchJars(name),
  });
  return started(new Server(broker));
}

/** A broker that was killed is not let in again until the controller has missed its predecessor for so long (9 s if not told otherwise). */
const quickRecovery = { 'broker.session.timeout.ms': '2000', 'broker.heartbeat.interval.ms': '250' } as const;

/** A started ZooKeeper on its own. */
export async function openZooKeeper(options: OwnZooKeeperOptions = {}): Promise<Server> {
  const clientPort = await findFreePorts(1);
  return started(new Server(zooKeeperServer({ ...zooKeeperDefaults('zookeeper'), ...options, clientPort })));
}

/** Three started ZooKeeper servers that have elected a leader. */
export async function openEnsemble(options: OwnZooKeeperOptions = {}): Promise<ZooKeeperEnsemble> {
  const firstPort = await findFreePorts(ensemblePortCount);
  return started(new ZooKeeperEnsemble({ ...zooKeeperDefaults('ensemble'), ...options, firstPort }));
}

type OwnZooKeeperOptions = Partial<Pick<ZooKeeperOptions, 'isSynced' | 'compiler' | 'tickTimeMs' | 'heapMb'>>;

function zooKeeperDefaults(name: string): Omit<EnsembleOptions, 'firstPort'> {
  return { folder: freshFolder(name), jars: () => fetchJars('zookeeper'), isSynced: false, compiler: 'quick' };
}

function freshFolder(name: string): string {
  const folder = join(servicesPlace().testsFolder, `${name}-${randomUUID().slice(0, 8)}`);
  mark(folder);
  return folder;
}

/** Leaves nothing behind if it does not start. */
async function started<S extends { start(): Promise<boolean>; remove(): Promise<void> }>(server: S): Promise<S> {
  try {
    await server.start();
  } catch (error) {
    await server.remove();
    throw error;
  }
  return server;
}
