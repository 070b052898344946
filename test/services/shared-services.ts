import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fetchJars, type Say } from './artifacts.ts';
import { certificatePaths } from './certificates.ts';
import { certificatesFolder, kafkaBroker, kafkaPorts } from './kafka-broker.ts';
import type { ServicesPlace } from './place.ts';
import { Server } from './server.ts';
import { type ArtifactName, portOffsets, saslUsers, type ServiceName, serviceNames, versions } from './settings.ts';
import { ZooKeeperEnsemble } from './zookeeper-ensemble.ts';
import { zooKeeperServer } from './zookeeper-server.ts';

/** How the shared services are to be. */
export interface ServicesWish {
  readonly names: readonly ServiceName[];
  /** Kafka with its guarded listeners. */
  readonly hasTls: boolean;
  /** As benchmarks want them: ZooKeeper writes to disk before it answers, and Java compiles fully. */
  readonly isForBench: boolean;
}

/** Addresses of Kafka's guarded listeners, and what one needs to pass. Paths are of PEM files. */
export interface KafkaSecurity {
  readonly tls: string;
  readonly mutualTls: string;
  readonly sasl: string;
  readonly ca: string;
  readonly clientCert: string;
  readonly clientKey: string;
  /** Password by user, for every SASL mechanism. */
  readonly users: Readonly<Record<string, string>>;
}

/** A shared service, as the status file has it. */
export interface ServiceStatus {
  readonly title: string;
  /** What clients connect to. */
  readonly address: string;
  readonly pids: readonly number[];
  readonly security?: KafkaSecurity;
}

export type ServicesStatus = Partial<Record<ServiceName, ServiceStatus>>;

/** Starts what is missing of `wish`, and what runs without what is wished. Resolves to the names of those it started, when all answer. */
export async function startServices(place: ServicesPlace, wish: ServicesWish, say: Say): Promise<ServiceName[]> {
  // One after another: Maven's repository is not made for two at once.
  for (const name of wish.names) await fetchJars(artifactOf(name), say);
  const started = await Promise.allSettled(wish.names.map((name) => startService(name, sharedService(place, name, wish), say)));
  writeStatus(place);
  for (const outcome of started) if (outcome.status === 'rejected') throw outcome.reason;
  return wish.names.filter((_, i) => started[i]?.status === 'fulfilled' && started[i].value);
}

/** Whether it did not run before. */
async function startService(name: ServiceName, service: Service, say: Say): Promise<boolean> {
  if (!lacksTls(service)) return service.start();
  say(`${name} runs without TLS: starting it again`);
  await service.stop();
  await service.start();
  return false;
}

/** Ends services that `startServices` started, by whichever process, and removes their data unless told to keep it. Resolves to the names of those that ran. */
export async function stopServices(
  place: ServicesPlace,
  names: readonly ServiceName[],
  { keepsData }: { keepsData: boolean },
): Promise<ServiceName[]> {
  const running = readServices(place);
  try {
    await Promise.all(
      names.map((name) => {
        const service = sharedService(place, name);
        return keepsData ? service.stop() : service.remove();
      }),
    );
  } finally {
    writeStatus(place);
  }
  return names.filter((name) => running[name] !== undefined);
}

/** What runs now, told by its processes. */
export function readServices(place: ServicesPlace): ServicesStatus {
  return Object.fromEntries(serviceNames.flatMap((name) => describe(place, name)));
}

/** Services that were started and have ended otherwise than by `stopServices`, wholly or in part. */
export function lostServices(place: ServicesPlace): ServiceName[] {
  return serviceNames.filter((name) => serversOf(sharedService(place, name)).some(({ isLost }) => isLost));
}

type Service = Server | ZooKeeperEnsemble;

function sharedService(place: ServicesPlace, name: ServiceName, wish?: ServicesWish): Service {
  const port = place.portBase + portOffsets[name];
  const compiler = wish?.isForBench ? 'full' : 'quick';
  const isSynced = wish?.isForBench ?? false;
  const common = { folder: serviceFolder(place, name), jars: () => fetchJars(artifactOf(name)), compiler } as const;
  switch (name) {
    case 'kafka':
    case 'kafka4':
      return new Server(kafkaBroker({ ...common, name, firstPort: port, hasTls: wish?.hasTls ?? false }));
    case 'zookeeper':
      return new Server(zooKeeperServer({ ...common, clientPort: port, isSynced }));
    case 'ensemble':
      return new ZooKeeperEnsemble({ ...common, firstPort: port, isSynced });
  }
}

function serversOf(service: Service): readonly Server[] {
  return service instanceof Server ? [service] : service.members;
}

function artifactOf(name: ServiceName): ArtifactName {
  return name === 'ensemble' ? 'zookeeper' : name;
}

/** The version is in the name: a newer server does not meet the data of an older one. */
function serviceFolder(place: ServicesPlace, name: ServiceName): string {
  return join(place.folder, 'data', `${name}-${versions[artifactOf(name)]}`);
}

function lacksTls(service: Service): boolean {
  if (!(service instanceof Server)) return false;
  return service.record?.features.includes('tls') === false && service.definition.features.includes('tls');
}

function describe(place: ServicesPlace, name: ServiceName): [ServiceName, ServiceStatus][] {
  const service = sharedService(place, name);
  const servers = serversOf(service);
  const records = servers.flatMap(({ record }) => record ?? []);
  // The record, not the definition: it may have been started with other ports.
  const [first] = records;
  if (first === undefined || records.length < servers.length) return [];
  const status = {
    title: name === 'ensemble' ? `${servers.length} × ZooKeeper ${versions.zookeeper}` : first.title,
    address: records.map(({ address }) => address).join(','),
    pids: records.map(({ process }) => process.pid),
    ...(first.features.includes('tls') && { security: kafkaSecurity(serviceFolder(place, name), first.address) }),
  };
  return [[name, status]];
}

function kafkaSecurity(folder: string, address: string): KafkaSecurity {
  const { tls, mutualTls, sasl } = kafkaPorts(Number(address.slice(address.lastIndexOf(':') + 1)));
  const at = (port: number): string => `127.0.0.1:${port}`;
  const { ca, clientCert, clientKey } = certificatePaths(certificatesFolder(folder));
  return { tls: at(tls), mutualTls: at(mutualTls), sasl: at(sasl), ca, clientCert, clientKey, users: saslUsers };
}

/** `status.json`, for programs that are not ours. */
function writeStatus(place: ServicesPlace): void {
  mkdirSync(place.folder, { recursive: true });
  const path = join(place.folder, 'status.json');
  writeFileSync(`${path}.new`, `${JSON.stringify(readServices(place), undefined, 2)}\n`);
  renameSync(`${path}.new`, path);
}
