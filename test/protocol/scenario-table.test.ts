import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

interface Row {
  readonly scenario: string;
  readonly file: string;
  readonly title: string;
}

const rows: readonly Row[] = readFileSync('test/protocol/README.md', 'utf8')
  .split('\n')
  .filter((line) => /^\| \d/.test(line))
  .map((line) => {
    const [scenario = '', , file = '', ...title] = line.slice(2, -2).split(' | ');
    return { scenario, file: file.replaceAll('`', ''), title: title.join(' | ') };
  });

test('the README names tests for the scenarios of what is built', () => {
  const named = new Set(rows.map(({ scenario }) => scenario));

  const required = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22].map(String);
  expect(required.filter((scenario) => !named.has(scenario))).toEqual([]);
});

test.each(rows.map(({ scenario, file, title }) => [scenario, file, title] as const))('%s: %s has the test "%s"', (_, file, title) => {
  const text = readFileSync(file, 'utf8');

  expect(["'", '"', '`'].some((quote) => text.includes(quote + title + quote))).toBe(true);
});
