import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { checkJava, checkMaven } from './toolchain.ts';

let fake: string;
beforeAll(() => {
  fake = mkdtempSync(join(tmpdir(), 'millrace-java-'));
  mkdirSync(join(fake, 'bin'));
});
afterAll(() => rmSync(fake, { recursive: true, force: true }));

test.each([
  ['1.8.0_402', 'is Java 1.8.0_402; the services need 17 or newer'],
  ['11.0.22', 'is Java 11.0.22; the services need 17 or newer'],
  ['21.0.3', undefined],
])('Java %s: %s', (version, message) => {
  const java = join(fake, 'bin', 'java');
  writeFileSync(java, `#!/bin/sh\necho 'openjdk version "${version}" 2024-01-16' >&2\n`);
  chmodSync(java, 0o755);
  const check = (): string => checkJava({ ...process.env, JAVA_HOME: fake });

  if (message === undefined) expect(check()).toBe(version);
  else expect(check).toThrow(expect.objectContaining({ code: 'JAVA_TOO_OLD', message: expect.stringContaining(message) }));
});

test('without Java', () => {
  expect(() => checkJava({ PATH: '/nonexistent' })).toThrow(expect.objectContaining({ code: 'JAVA_MISSING' }));
});

test('without Maven, the jars that are missing can not be fetched', () => {
  expect(() => checkMaven({ PATH: '/nonexistent' })).toThrow(expect.objectContaining({ code: 'MAVEN_MISSING' }));
});
