/** The services tool itself, on services that only these tests have. */
import { existsSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeWithOwnServers } from '../helpers/services.ts';
import { openCommand, type ServicesCommandProcess } from './command-process.ts';
import { isPortFree } from './ports.ts';
import type { ServicesStatus } from './shared-services.ts';

const minutes = 60_000;

describeWithOwnServers('npm run services', () => {
  let command: ServicesCommandProcess;
  let first: ServicesStatus;

  beforeAll(async () => {
    command = await openCommand();
    const up = command.run(['up', '--tls', '--json']);
    expect(up).toMatchObject({ code: 0, stderr: expect.stringContaining('started kafka, zookeeper') });
    first = JSON.parse(up.stdout) as ServicesStatus;
  }, 5 * minutes);
  afterAll(() => command.dispose(), minutes);

  test('up says where the services are, and status says the same', () => {
    const { portBase } = command.place;

    expect(first.kafka?.address).toBe(`127.0.0.1:${portBase}`);
    expect(first.kafka?.security?.sasl).toBe(`127.0.0.1:${portBase + 4}`);
    expect(first.zookeeper?.address).toBe(`127.0.0.1:${portBase + 20}`);
    expect(command.status()).toEqual(first);
    expect(command.run(['status'])).toMatchObject({ code: 0, stdout: expect.stringContaining(`127.0.0.1:${portBase + 20}  (ZooKeeper`) });
  });

  test('a second up starts nothing', () => {
    const again = command.run(['up', '--json']);

    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(again.stdout)).toEqual(first);
  });

  test(
    'a killed broker is noticed, and up starts it alone',
    () => {
      process.kill(first.kafka?.pids[0] ?? 0, 'SIGKILL');

      expect(command.run(['status'])).toMatchObject({ code: 1, stderr: expect.stringContaining('kafka was started and has died') });
      expect(command.run(['up', '--tls']).stderr).toBe('started kafka\n');
      const { kafka, zookeeper } = command.status();
      expect(kafka).toMatchObject({ address: first.kafka?.address });
      expect(kafka?.pids).not.toEqual(first.kafka?.pids);
      expect(zookeeper).toEqual(first.zookeeper);
    },
    2 * minutes,
  );

  test(
    'test starts what is missing, and ends no more than that',
    () => {
      const before = command.status();

      const run = command.run(['test', 'test/services/compose.test.ts']);

      expect(run).toMatchObject({ code: 0, stdout: expect.stringMatching(/\d passed, 0 failed/) });
      expect(readdirSync(`${command.place.folder}/data`).filter((name) => name.startsWith('kafka4'))).toEqual([]);
      expect(command.status()).toEqual(before);
    },
    5 * minutes,
  );

  test(
    'down ends them and keeps no data',
    async () => {
      const down = command.run(['down']);

      expect(down.stderr).toBe('stopped kafka, zookeeper\n');
      expect(command.run(['status'])).toMatchObject({ code: 0, stdout: 'no services run\n' });
      expect(await isPortFree(command.place.portBase)).toBe(true);
      expect(existsSync(`${command.place.folder}/data`) && readdirSync(`${command.place.folder}/data`)).toEqual([]);
      expect(command.run(['down']).stderr).toBe('nothing ran\n');
    },
    minutes,
  );
});
