import { expect, test } from '@jest/globals';
import { parseCommand } from './arguments.ts';
import { servicesPlace } from './place.ts';

test.each([
  [[], 'there is no command'],
  [['start'], "'start' is no command"],
  [['up', '--fast'], "Unknown option '--fast'"],
  [['up', 'kafka'], 'up takes no names, but was given kafka'],
  [['down', 'hdfs'], "there is no service 'hdfs'; there are kafka, kafka4, zookeeper, ensemble"],
  [['up', '--port-base', '80'], "the port base is '80'"],
])('npm run services -- %j is refused: %s', (args, message) => {
  expect(() => parseCommand(args)).toThrow(expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(message) }));
});

test('up wants a Kafka and a ZooKeeper, and more if told so', () => {
  expect(parseCommand(['up']).wish).toEqual({ names: ['kafka', 'zookeeper'], hasTls: false, isForBench: false });
  expect(parseCommand(['up', '--ensemble', '--kafka4', '--tls', '--bench']).wish).toEqual({
    names: ['kafka', 'kafka4', 'zookeeper', 'ensemble'],
    hasTls: true,
    isForBench: true,
  });
});

test('down means all services, unless some are named', () => {
  expect(parseCommand(['down'])).toMatchObject({ names: ['kafka', 'kafka4', 'zookeeper', 'ensemble'], keepsData: false });
  expect(parseCommand(['down', 'kafka4', '--keep-data'])).toMatchObject({ names: ['kafka4'], keepsData: true });
});

test('a port base in the environment is checked too', () => {
  expect(servicesPlace({ MILLRACE_SERVICES_PORT_BASE: '30000' }).portBase).toBe(30_000);
  expect(() => servicesPlace({ MILLRACE_SERVICES_PORT_BASE: '1e9' })).toThrow(expect.objectContaining({ code: 'USAGE' }));
});
