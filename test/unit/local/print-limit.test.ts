import { expect, test } from '@jest/globals';
import { PrintLimit } from '../../../local/print-limit.ts';

function setUp(): { readonly limit: PrintLimit; readonly shown: string[]; at: (ms: number) => void } {
  const shown: string[] = [];
  let now = 0;
  const limit = new PrintLimit(
    (line) => shown.push(line),
    () => now,
  );
  return { limit, shown, at: (ms) => (now = ms) };
}

test('shows ten lines of a second, and counts the others where the next one begins', () => {
  const { limit, shown, at } = setUp();

  for (let i = 0; i < 1500; i++) limit.print(`line ${i}`);
  at(1000);
  limit.print('later');

  expect(shown).toEqual([...Array.from({ length: 10 }, (_, i) => `line ${i}`), '… and 1,490 more lines', 'later']);
});

test('counts the line about the others as one of the ten', () => {
  const { limit, shown, at } = setUp();

  for (let i = 0; i < 11; i++) limit.print('first');
  at(1000);
  for (let i = 0; i < 11; i++) limit.print('second');

  expect(shown.filter((line) => line === 'second')).toHaveLength(9);
});

test('adds up what single tasks have left out', () => {
  const { limit, shown } = setUp();

  limit.print('shown');
  limit.print('… and 90 more lines');
  limit.print('band> … and 7 more lines');
  limit.flush();

  expect(shown).toEqual(['shown', '… and 97 more lines']);
});

test('says nothing of the others when there are none', () => {
  const { limit, shown } = setUp();

  limit.print('only');
  limit.flush();
  limit.flush();

  expect(shown).toEqual(['only']);
});
