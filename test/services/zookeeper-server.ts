import { jarsFolder } from './artifacts.ts';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { javaWith, type JavaTuning, keepClasses } from './java-options.ts';
import type { ServerDefinition } from './server.ts';
import { heapMb, tickTimeMs, versions, zooKeeperSettings } from './settings.ts';

export interface ZooKeeperOptions {
  readonly folder: string;
  /** Fetches them if they are missing. */
  readonly jars: () => Promise<string>;
  readonly clientPort: number;
  /** Of the ensemble; none for a server alone. */
  readonly membership?: Membership;
  /** Whether a write is on disk before it is answered. Slower; nothing but a crash of the machine itself would show the difference. */
  readonly isSynced: boolean;
  readonly compiler: JavaTuning['compiler'];
  /** It keeps its last 500 writes in memory. @default - enough for tests */
  readonly heapMb?: number;
  readonly tickTimeMs?: number;
}

export interface Membership {
  /** From 1. */
  readonly id: number;
  readonly members: readonly { readonly quorumPort: number; readonly electionPort: number }[];
}

export type ZooKeeperMode = 'leader' | 'follower' | 'standalone';

export function zooKeeperServer(options: ZooKeeperOptions): ServerDefinition {
  const { clientPort, folder, membership } = options;
  const peers = membership?.members[membership.id - 1];
  return {
    title: `ZooKeeper ${versions.zookeeper}${membership ? ` (member ${membership.id})` : ''}`,
    folder,
    // A member listens for followers only while it leads, but nobody else may have the port.
    ports: [clientPort, ...(peers ? [peers.quorumPort, peers.electionPort] : [])],
    address: `127.0.0.1:${clientPort}`,
    features: [],
    prepare: () => prepare(options),
    afterStop: () => keepClasses(folder, jarsFolder('zookeeper')),
    // `ruok` is answered before there is a quorum.
    isReady: async () => (await zooKeeperMode(clientPort)) !== undefined,
  };
}

async function prepare(options: ZooKeeperOptions): Promise<[string, ...string[]]> {
  const { folder, clientPort, membership, isSynced, compiler } = options;
  const jars = await options.jars();
  const dataDir = join(folder, 'data');
  mkdirSync(dataDir, { recursive: true });
  if (membership) writeFileSync(join(dataDir, 'myid'), `${membership.id}\n`);
  const servers = (membership?.members ?? []).map(({ quorumPort, electionPort }, i) => [
    `server.${i + 1}`,
    `127.0.0.1:${quorumPort}:${electionPort}`,
  ]);
  const settings = {
    dataDir,
    clientPort,
    clientPortAddress: '127.0.0.1',
    tickTime: options.tickTimeMs ?? tickTimeMs,
    forceSync: isSynced ? 'yes' : 'no',
    ...zooKeeperSettings,
    ...Object.fromEntries(servers),
  };
  const config = join(folder, 'zoo.cfg');
  writeFileSync(
    config,
    Object.entries(settings)
      .map(([name, value]) => `${name}=${String(value)}\n`)
      .join(''),
  );
  const java = javaWith(
    jars,
    folder,
    { compiler, heapMb: options.heapMb ?? heapMb.zookeeper },
    {
      'zookeeper.jmx.log4j.disable': 'true',
      'org.slf4j.simpleLogger.showDateTime': 'true',
    },
  );
  return [...java, 'org.apache.zookeeper.server.quorum.QuorumPeerMain', config];
}

/** What the server on this port is; undefined if it does not serve: it is away, paused, or without a quorum. */
export async function zooKeeperMode(clientPort: number, timeoutMs = 1000): Promise<ZooKeeperMode | undefined> {
  const answer = await fourLetterWord('srvr', clientPort, timeoutMs);
  return /^Mode: (leader|follower|standalone)$/m.exec(answer)?.[1] as ZooKeeperMode | undefined;
}

/** ZooKeeper's answer to an administrator's word of four letters; '' if there is none in time. */
function fourLetterWord(word: string, port: number, timeoutMs: number): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write(word));
    const timer = setTimeout(() => socket.destroy(), timeoutMs);
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
    // A refused connection shows as an empty answer; `close` follows.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(answer);
    });
  });
}
