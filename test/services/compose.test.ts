/** compose.yaml can't be run where this is developed; so it is read, and compared with what is run instead. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { brokerSettings, defaultPortBase, portOffsets, tickTimeMs, versions, zooKeeperSettings } from './settings.ts';

interface ComposeService {
  readonly image: string;
  readonly ports: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

const { services } = parse(readFileSync('compose.yaml', 'utf8')) as { services: Record<'kafka' | 'zookeeper', ComposeService> };
const kafkaPort = defaultPortBase + portOffsets.kafka;

test('compose.yaml starts the versions that we start', () => {
  expect(Object.keys(services)).toEqual(['kafka', 'zookeeper']);
  expect(services.kafka.image).toBe(`apache/kafka:${versions.kafka}`);
  expect(services.zookeeper.image).toBe(`zookeeper:${versions.zookeeper}`);
});

test('compose.yaml gives Kafka our broker settings and addresses, and no others', () => {
  const ours = Object.entries(brokerSettings).map(([name, value]) => [`KAFKA_${name.toUpperCase().replaceAll('.', '_')}`, value]);

  expect(services.kafka.environment).toEqual({
    KAFKA_PROCESS_ROLES: 'broker,controller',
    KAFKA_NODE_ID: '1',
    KAFKA_CONTROLLER_QUORUM_VOTERS: `1@127.0.0.1:${kafkaPort + 1}`,
    KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
    KAFKA_LISTENERS: `PLAINTEXT://:${kafkaPort},CONTROLLER://127.0.0.1:${kafkaPort + 1}`,
    KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${kafkaPort}`,
    KAFKA_INTER_BROKER_LISTENER_NAME: 'PLAINTEXT',
    KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    ...Object.fromEntries(ours),
  });
  expect(services.kafka.ports).toEqual([`127.0.0.1:${kafkaPort}:${kafkaPort}`]);
});

test('compose.yaml gives ZooKeeper our settings and address, and no others', () => {
  const { initLimit, syncLimit, maxClientCnxns } = zooKeeperSettings;

  expect(services.zookeeper.environment).toEqual({
    ZOO_TICK_TIME: String(tickTimeMs),
    ZOO_INIT_LIMIT: initLimit,
    ZOO_SYNC_LIMIT: syncLimit,
    ZOO_MAX_CLIENT_CNXNS: maxClientCnxns,
    ZOO_4LW_COMMANDS_WHITELIST: zooKeeperSettings['4lw.commands.whitelist'],
    ZOO_ADMINSERVER_ENABLED: zooKeeperSettings['admin.enableServer'],
    ZOO_CFG_EXTRA: 'forceSync=no',
  });
  expect(services.zookeeper.ports).toEqual([`127.0.0.1:${defaultPortBase + portOffsets.zookeeper}:2181`]);
});

test.each(['kafka', 'kafka4', 'zookeeper'] as const)('the pom of %s fetches the version that the settings name', (name) => {
  const pom = readFileSync(`test/services/poms/${name}/pom.xml`, 'utf8');

  expect(/<(?:kafka|zookeeper)\.version>(.+?)</.exec(pom)?.[1]).toBe(versions[name]);
  expect(pom.match(/<version>(?!\d[\w.]*<|\$\{)/g)).toBeNull();
});
