import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

/** These mirror the source, or hold what is no source of ours. */
const MIRRORS = new Set(['test/unit', 'test/docs/fixtures', 'test/services/poms', 'test/bench/peers/java', 'test/golden']);

interface Folder {
  readonly path: string;
  readonly readme: string | undefined;
}

function foldersIn(path: string): Folder[] {
  const entries = readdirSync(path, { withFileTypes: true });
  const readme = entries.some(({ name }) => name === 'README.md') ? readFileSync(join(path, 'README.md'), 'utf8') : undefined;
  const below = MIRRORS.has(path) ? [] : entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
  return [{ path, readme }, ...below.flatMap(({ name }) => foldersIn(`${path}/${name}`))];
}

const ROOTS = ['functions', 'infra', 'local', 'test'];
const FOLDERS = ROOTS.flatMap(foldersIn);

/** Its own README, or that of the folder above it, which then names it. */
function isTold({ path, readme }: Folder): boolean {
  if (readme !== undefined || MIRRORS.has(path)) return true;
  const name = path.slice(path.lastIndexOf('/') + 1);
  const above = FOLDERS.find((folder) => folder.path === path.slice(0, -name.length - 1));
  return above?.readme?.includes(`${name}/`) ?? false;
}

test('every folder of source has a README, or is named by the one above it', () => {
  expect(FOLDERS.filter((folder) => !isTold(folder)).map(({ path }) => path)).toEqual([]);
});

test('every file of source that such a README names is there', () => {
  const names = FOLDERS.flatMap(({ path, readme = '' }) =>
    [...readme.matchAll(/`((?:\.\.\/)*\w[\w./-]*\.ts)`/g)].map(([, name = '']) => ({ path, name: name.replace(/^(\.\.\/)+/, '') })),
  );
  const files = ROOTS.flatMap((root) => readdirSync(root, { recursive: true, encoding: 'utf8' }).map((file) => `${root}/${file}`));
  const missing = names.filter(({ name }) => !files.some((file) => `/${file}`.endsWith(`/${name}`)));

  expect(names.length).toBeGreaterThan(100);
  expect(missing).toEqual([]);
});
