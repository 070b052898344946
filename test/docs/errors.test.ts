/** docs/reference/errors.md and the table of codes say the same, and every code is thrown somewhere. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { ERROR_CODES } from '../../functions/shared/errors.ts';

const SECTION = /^## (MILLRACE_\w+)\n\n`(\w+)` · `(\w+)`\n\n(?=\S)/gm;
const document = readFileSync('docs/reference/errors.md', 'utf8');

/** All that is shipped, but for the table itself. */
function readSources(): string {
  const files = ['functions', 'local', 'infra'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|mjs)$/.test(name))
      .map((name) => join(folder, name)),
  );
  return files
    .filter((file) => file !== join('functions', 'shared', 'errors.ts'))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
}

test('each code has one section, with its domain and retry', () => {
  const sections = [...document.matchAll(SECTION)].map(([, code, domain, retry]) => [code, [domain, retry]]);

  expect(sections).toEqual(Object.entries(ERROR_CODES));
});

test('there is no section in another form', () => {
  expect(document.match(/^## /gm)).toHaveLength(Object.keys(ERROR_CODES).length);
});

test('each code is made into an error somewhere', () => {
  const sources = readSources();
  // The first argument of a call or an entry of a table: `isMillraceError(error, CODE)` has it as its second argument.
  const unused = Object.keys(ERROR_CODES).filter((code) => !new RegExp(`[([:]\\s*'${code}'`).test(sources));

  expect(unused).toEqual([]);
});

test('documents name no code that is not there', () => {
  const folders = readdirSync('docs', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'));
  const texts = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', ...folders.map((name) => join('docs', name))].map((path) =>
    readFileSync(path, 'utf8'),
  );
  const links = texts.flatMap((text) => [...text.matchAll(/\[(MILLRACE_\w+)\]/g)].map(([, code]) => code));

  expect(links.filter((code) => code === undefined || !(code in ERROR_CODES))).toEqual([]);
});
