import { jarsFolder } from './artifacts.ts';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Certificates, makeCertificates } from './certificates.ts';
import { javaWith, type JavaTuning, keepClasses } from './java-options.ts';
import { canConnect } from './ports.ts';
import type { ServerDefinition } from './server.ts';
import { ServicesError } from './services-error.ts';
import { brokerSettings, heapMb, saslUsers, smallBrokerSettings, versions } from './settings.ts';

export interface KafkaOptions {
  /** `kafka` is the 3.9 line, `kafka4` the newest. */
  readonly name: 'kafka' | 'kafka4';
  readonly folder: string;
  /** Fetches them if they are missing. */
  readonly jars: () => Promise<string>;
  /** Of `kafkaPortCount` ports in a row. */
  readonly firstPort: number;
  /** Listeners with TLS and SASL beside the plain one, and an authorizer. */
  readonly hasTls: boolean;
  readonly compiler: JavaTuning['compiler'];
  /** Broker properties besides or instead of ours. */
  readonly properties?: Readonly<Record<string, string>>;
}

export const kafkaPortCount = 5;

/** Listeners of a broker, by what guards them. */
export interface KafkaPorts {
  readonly plain: number;
  readonly controller: number;
  /** TLS; clients need no certificate. */
  readonly tls: number;
  /** TLS with a certificate of the client. */
  readonly mutualTls: number;
  /** TLS with SASL: PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512, users as in `saslUsers`. */
  readonly sasl: number;
}

export function kafkaPorts(firstPort: number): KafkaPorts {
  return { plain: firstPort, controller: firstPort + 1, tls: firstPort + 2, mutualTls: firstPort + 3, sasl: firstPort + 4 };
}

export const certificatesFolder = (folder: string): string => join(folder, 'certificates');

/** One node that is broker and controller (KRaft). */
export function kafkaBroker(options: KafkaOptions): ServerDefinition {
  const { name, folder, firstPort, hasTls } = options;
  const ports = kafkaPorts(firstPort);
  return {
    title: `Kafka ${versions[name]}`,
    folder,
    ports: hasTls ? Object.values(ports) : [ports.plain, ports.controller],
    address: `127.0.0.1:${ports.plain}`,
    features: hasTls ? ['tls'] : [],
    prepare: () => prepare(options, ports),
    afterStop: () => keepClasses(folder, jarsFolder(name)),
    isReady: (log) => Promise.resolve(log.includes('Kafka Server started') && canConnect(ports.plain)),
  };
}

async function prepare(options: KafkaOptions, ports: KafkaPorts): Promise<[string, ...string[]]> {
  const { folder, compiler, hasTls } = options;
  const jars = await options.jars();
  mkdirSync(folder, { recursive: true });
  const certificates = hasTls ? makeCertificates(certificatesFolder(folder)) : undefined;
  const config = join(folder, 'server.properties');
  writeFileSync(config, lines({ ...brokerProperties(folder, ports, certificates), ...options.properties }));
  // 3.9 logs with log4j 1, 4.x with slf4j-simple; each ignores what is for the other.
  writeFileSync(join(folder, 'log4j.properties'), lines(log4j));
  const java = javaWith(
    jars,
    folder,
    { compiler, heapMb: heapMb.kafka },
    {
      'log4j.configuration': `file:${join(folder, 'log4j.properties')}`,
      'kafka.logs.dir': folder,
      'org.slf4j.simpleLogger.showDateTime': 'true',
    },
  );
  if (!existsSync(join(folder, 'data', 'meta.properties'))) format(java, config);
  return [...java, 'kafka.Kafka', config];
}

/** Users of SCRAM are made here, whether there is a listener for them now or not: one can be added later. */
function format(java: readonly [string, ...string[]], config: string): void {
  const users = Object.entries(saslUsers).flatMap(([user, password]) =>
    ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => ['--add-scram', `${mechanism}=[name=${user},password=${password}]`]),
  );
  const clusterId = Buffer.from('millrace-test-01').toString('base64url');
  // Classes are kept of a broker, not of this.
  const [program, ...args] = java.filter((argument) => !argument.startsWith('-XX:ArchiveClassesAtExit')) as [string, ...string[]];
  const { status, stdout, stderr } = spawnSync(
    program,
    [...args, 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', config, ...users],
    {
      encoding: 'utf8',
    },
  );
  if (status !== 0) throw new ServicesError('SERVER_DIED', `Kafka could not format its data folder:\n${stdout}${stderr}`);
}

function brokerProperties(folder: string, ports: KafkaPorts, certificates: Certificates | undefined): Record<string, string> {
  const listeners = {
    PLAINTEXT: ports.plain,
    ...(certificates && { TLS: ports.tls, MUTUAL: ports.mutualTls, SASL: ports.sasl }),
  };
  const addresses = Object.entries(listeners).map(([name, port]) => `${name}://127.0.0.1:${port}`);
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${ports.controller}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: [...addresses, `CONTROLLER://127.0.0.1:${ports.controller}`].join(','),
    'advertised.listeners': addresses.join(','),
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,TLS:SSL,MUTUAL:SSL,SASL:SASL_SSL',
    'log.dirs': join(folder, 'data'),
    ...brokerSettings,
    ...smallBrokerSettings,
    ...(certificates && securityProperties(certificates)),
  };
}

/** Who comes unguarded may do all; the others may do what no ACL forbids, so a test takes a right away by giving it to somebody else. */
function securityProperties({ ca, server }: Certificates): Record<string, string> {
  const plainUsers = Object.entries(saslUsers).map(([user, password]) => `user_${user}="${password}"`);
  const module = 'org.apache.kafka.common.security';
  return {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': server,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': ca,
    'listener.name.mutual.ssl.client.auth': 'required',
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'listener.name.sasl.plain.sasl.jaas.config': `${module}.plain.PlainLoginModule required ${plainUsers.join(' ')};`,
    'listener.name.sasl.scram-sha-256.sasl.jaas.config': `${module}.scram.ScramLoginModule required;`,
    'listener.name.sasl.scram-sha-512.sasl.jaas.config': `${module}.scram.ScramLoginModule required;`,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS',
    'allow.everyone.if.no.acl.found': 'true',
  };
}

const log4j = {
  'log4j.rootLogger': 'INFO, out',
  'log4j.appender.out': 'org.apache.log4j.ConsoleAppender',
  'log4j.appender.out.layout': 'org.apache.log4j.PatternLayout',
  'log4j.appender.out.layout.ConversionPattern': '[%d] %p %m (%c)%n',
};

function lines(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
