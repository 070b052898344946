import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { isNodePath, parseZooKeeperConfig } from '../../../../../functions/coordination/zookeeper/config.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('servers, chroot and defaults', () => {
  expect(parseZooKeeperConfig({ MILLRACE_ZOOKEEPER: ' zk1, zk2:2182,10.0.0.3/apps/millrace/ ' })).toEqual({
    servers: ['zk1:2181', 'zk2:2182', '10.0.0.3:2181'],
    chroot: '/apps/millrace',
    auth: undefined,
    sessionTimeoutMs: 10_000,
    requestTimeoutMs: 5000,
  });
  expect(parseZooKeeperConfig({ MILLRACE_ZOOKEEPER: 'zk1/' }).chroot).toBe('');
});

test('authentication as text, or from a file', () => {
  const file = join(folder, 'auth');
  writeFileSync(file, 'ada:pass:word\n');

  const auths = ['ada:pass:word', file].map(
    (auth) => parseZooKeeperConfig({ MILLRACE_ZOOKEEPER: 'zk', MILLRACE_ZOOKEEPER_AUTH: auth }).auth,
  );

  expect(auths).toEqual(['ada:pass:word', 'ada:pass:word']);
});

test('timeouts', () => {
  const env = { MILLRACE_ZOOKEEPER: 'zk', MILLRACE_ZOOKEEPER_SESSION_MS: '30000', MILLRACE_ZOOKEEPER_REQUEST_MS: '100' };

  expect(parseZooKeeperConfig(env)).toMatchObject({ sessionTimeoutMs: 30_000, requestTimeoutMs: 100 });
});

test.each([
  [{}, /no server is given/],
  [{ MILLRACE_ZOOKEEPER: '/chroot' }, /no server is given/],
  [{ MILLRACE_ZOOKEEPER: 'zk1,,zk2' }, /no server is given/],
  [{ MILLRACE_ZOOKEEPER: 'zk:0' }, /'zk:0'/],
  [{ MILLRACE_ZOOKEEPER: 'zk:65536' }, /'zk:65536'/],
  [{ MILLRACE_ZOOKEEPER: 'zk1 zk2' }, /'zk1 zk2'/],
  [{ MILLRACE_ZOOKEEPER: 'zk/a//b' }, /'\/a\/\/b'/],
  [{ MILLRACE_ZOOKEEPER: 'zk/../b' }, /'\/\.\.\/b'/],
  [{ MILLRACE_ZOOKEEPER: 'zk', MILLRACE_ZOOKEEPER_SESSION_MS: '1s' }, /MILLRACE_ZOOKEEPER_SESSION_MS is '1s'/],
  [{ MILLRACE_ZOOKEEPER: 'zk', MILLRACE_ZOOKEEPER_REQUEST_MS: '99' }, /from 100 to 600000/],
])('%j is refused', (env, message) => {
  const parse = (): unknown => parseZooKeeperConfig(env);

  expect(parse).toThrow(message);
  expect(parse).toThrow(expect.objectContaining({ code: 'MILLRACE_CONFIG_INVALID' }));
});

test.each(['s3cret', ':s3cret', 's3cret:'])('authentication %j is refused without being told', (auth) => {
  const parse = (): unknown => parseZooKeeperConfig({ MILLRACE_ZOOKEEPER: 'zk', MILLRACE_ZOOKEEPER_AUTH: auth });

  expect(parse).toThrow(expect.objectContaining({ code: 'MILLRACE_CONFIG_INVALID' }));
  expect(parse).not.toThrow(/s3cret/);
});

test('a password given with the servers is not told', () => {
  expect(() => parseZooKeeperConfig({ MILLRACE_ZOOKEEPER: 'ada:s3cret@zk' })).toThrow(/'…@zk'/);
});

describe('paths', () => {
  test.each(['/', '/a', '/a/b.c/..d', '/ä/-_ x'])('%j is one', (path) => expect(isNodePath(path)).toBe(true));

  test.each(['', 'a', 'a/b', '/a/', '//', '/a//b', '/.', '/a/..', '/a/./b', '/a\0', '/a\u0085', '/\ue000', '/💥', '/\uffff'])(
    '%j is none',
    (path) => expect(isNodePath(path)).toBe(false),
  );
});
