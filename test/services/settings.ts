/**
 * Versions, ports and settings of the services that tests run on: Kafka and ZooKeeper as their makers publish them. compose.yaml has the same, and a
 * test holds the two equal. A version stands in the pom of its folder in poms/ too, where a test compares it.
 */

/** Services by name; each has a folder in poms/ but the ensemble, which is ZooKeeper three times. */
export const versions = { kafka: '3.9.2', kafka4: '4.3.1', zookeeper: '3.9.5' } as const;

export type ArtifactName = keyof typeof versions;

export const artifactNames = Object.keys(versions) as ArtifactName[];

/** What `up` can start and keep running for everybody: two Kafkas, one ZooKeeper alone, and three as an ensemble. */
export const serviceNames = ['kafka', 'kafka4', 'zookeeper', 'ensemble'] as const;

export type ServiceName = (typeof serviceNames)[number];

/** Kafka 4 runs on nothing older. */
export const minJavaVersion = 17;

/** First port of the shared services: below Linux' range for outgoing connections (32768), which could take a port while its server restarts. */
export const defaultPortBase = 24_000;

/** Ports of the shared services, counted from the base. */
export const portOffsets = { kafka: 0, kafka4: 10, zookeeper: 20, ensemble: 21 } as const;

/** Ports of servers that a test starts for itself are drawn from here: [first, end). */
export const testPorts = [25_000, 32_000] as const;

export const ensembleSize = 3;

/** Broker settings that make one broker enough, and tests quick. */
export const brokerSettings = {
  'num.partitions': '1',
  'offsets.topic.replication.factor': '1',
  'offsets.topic.num.partitions': '4',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'transaction.state.log.num.partitions': '4',
  'group.initial.rebalance.delay.ms': '0',
} as const;

/** Threads and buffers for a machine that does other things as well. */
export const smallBrokerSettings = {
  'num.network.threads': '2',
  'num.io.threads': '4',
  'log.cleaner.dedupe.buffer.size': '8388608',
} as const;

/** Time unit of ZooKeeper in ms: sessions last 2 to 20 of them, so tests can see one expire after a second. */
export const tickTimeMs = 500;

export const zooKeeperSettings = {
  initLimit: '10',
  syncLimit: '5',
  maxClientCnxns: '0',
  '4lw.commands.whitelist': '*',
  'admin.enableServer': 'false',
} as const;

/** Heaps in MB. */
export const heapMb = { kafka: 512, zookeeper: 256 } as const;

/** Users of the listener with SASL, by name. Made for tests on loopback, so no secrets; all mechanisms have the same. */
export const saslUsers: Readonly<Record<string, string>> = { alice: 'alice-secret', bob: 'bob-secret' };

/** How long a server may take until it answers, and to end after SIGTERM, before it is killed. */
export const startTimeoutMs = 60_000;
export const stopTimeoutMs = 20_000;
