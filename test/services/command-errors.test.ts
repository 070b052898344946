/** What the services tool says when it can't do what was asked for. Nothing is started here, so Java may be missing. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { describeWithOwnServers } from '../helpers/services.ts';
import { openCommand, type ServicesCommandProcess } from './command-process.ts';
import { identify } from './process-identity.ts';
import { versions } from './settings.ts';

/** An environment in which there is neither Java nor Maven. */
const noPrograms = { PATH: '/nonexistent', JAVA_HOME: '' };

let command: ServicesCommandProcess;
beforeEach(async () => {
  command = await openCommand();
});
afterEach(() => command.dispose());

test('without Java, up says what to install', () => {
  expect(command.run(['up'], noPrograms)).toMatchObject({ code: 1, stderr: expect.stringMatching(/`java` does not run.*apt-get install/) });
});

test('without Java, test runs what needs no services, and says that the others are skipped', () => {
  const run = command.run(['test', 'test/services/compose.test.ts'], { ...noPrograms, CI: '' });

  expect(run).toMatchObject({ code: 0, stdout: expect.stringMatching(/passed, 0 failed/) });
  expect(run.stderr).toMatch(/`java` does not run[^]*tests that need Kafka or ZooKeeper are skipped/);
});

test('without Java, test fails on CI', () => {
  expect(command.run(['test', 'test/services/compose.test.ts'], { ...noPrograms, CI: 'true' })).toMatchObject({ code: 1, stdout: '' });
});

test('test starts no services for tests that need none', () => {
  const run = command.run(['test', 'test/unit/functions/shared/hash.test.ts'], { ...noPrograms, CI: 'true' });

  expect(run).toMatchObject({ code: 0, stdout: expect.stringMatching(/\d passed, 0 failed/) });
});

test('down leaves a process alone that has the number of a server by now', async () => {
  const foreign = spawn('sleep', ['600'], { stdio: 'ignore' });
  await once(foreign, 'spawn');
  const identity = identify(foreign.pid ?? 0);
  const folder = join(command.place.folder, 'data', `kafka-${versions.kafka}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'process.json'),
    JSON.stringify({ title: 'Kafka', address: '127.0.0.1:1', features: [], process: { ...identity, startTicks: '1' } }),
  );

  expect(command.run(['down'])).toMatchObject({ code: 0, stderr: 'nothing ran\n' });
  expect(existsSync(folder)).toBe(false);
  expect(identify(foreign.pid ?? 0)).toEqual(identity);
  foreign.kill();
});

describeWithOwnServers('with a port in use', () => {
  test('up names the port and the ways out', async () => {
    const { portBase } = command.place;
    const other = createServer().listen(portBase + 20, '127.0.0.1');
    await once(other, 'listening');

    const up = command.run(['up']);

    expect(up).toMatchObject({ code: 1, stderr: expect.stringMatching(`port ${portBase + 20} .*ZooKeeper.*in use.*--port-base`) });
    other.close();
  }, 120_000);
});
