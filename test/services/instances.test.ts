/** Servers that a test starts for itself, and what it may do to them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { describeWithOwnServers } from '../helpers/services.ts';
import { removeAbandoned } from './abandoned.ts';
import { openEnsemble, openKafka, openZooKeeper } from './instances.ts';
import { isPortFree } from './ports.ts';
import { servicesPlace } from './place.ts';
import { zooKeeperMode } from './zookeeper-server.ts';

const portOf = (address: string): number => Number(address.split(':')[1]);

describeWithOwnServers('servers of a test of its own', () => {
  test('an ensemble elects another leader when its own is killed, or stands still, and takes the old one back', async () => {
    const ensemble = await openEnsemble();
    const first = await ensemble.leader();

    await first.kill();
    const second = await ensemble.leader();
    expect(second).not.toBe(first);
    await first.start();
    expect((await ensemble.modes()).sort()).toEqual(['follower', 'follower', 'leader']);

    second.pause();
    const third = await ensemble.leader();
    expect(third).not.toBe(second);
    second.resume();

    await ensemble.remove();
    expect(ensemble.members.map(({ isRunning }) => isRunning)).toEqual([false, false, false]);
    expect(existsSync(join(first.definition.folder, '..'))).toBe(false);
  }, 120_000);

  test('a broker comes back after kill -9, with its data', async () => {
    const broker = await openKafka();
    const admin = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: 'kept', numPartitions: 1 }] });
    await admin.disconnect();
    await broker.kill();
    expect(await isPortFree(portOf(broker.address))).toBe(true);

    await broker.start();

    await admin.connect();
    await expect(admin.listTopics()).resolves.toContain('kept');
    await admin.disconnect();
    await broker.remove();
  }, 120_000);

  test('two of a kind do not meet', async () => {
    const [one, two] = await Promise.all([openZooKeeper(), openZooKeeper({ tickTimeMs: 200, isSynced: true })]);

    await one.kill();
    expect(await zooKeeperMode(portOf(one.address))).toBeUndefined();
    expect(await zooKeeperMode(portOf(two.address))).toBe('standalone');

    await Promise.all([one.remove(), two.remove()]);
  }, 120_000);

  test('what a killed test left behind goes, and what a living one has stays', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-abandoned-'));
    const place = servicesPlace({ MILLRACE_SERVICES_FOLDER: folder });
    const script = `import('./test/services/instances.ts').then(({ openZooKeeper }) => openZooKeeper()).then(({ address }) => console.log(address));
      setInterval(() => undefined, 1000);`;
    const env = { ...process.env, MILLRACE_SERVICES_FOLDER: folder };
    const killed = spawn(process.execPath, ['--import', 'tsx', '-e', script], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const [address] = (await once(killed.stdout.setEncoding('utf8'), 'data')) as [string];

    expect(await removeAbandoned(place)).toEqual([]);
    killed.kill('SIGKILL');
    await once(killed, 'close');
    expect(await zooKeeperMode(portOf(address))).toBe('standalone');

    expect(await removeAbandoned(place)).toEqual([expect.stringContaining('ZooKeeper')]);
    expect(await zooKeeperMode(portOf(address))).toBeUndefined();
    rmSync(folder, { recursive: true });
  }, 120_000);
});
