import { expect, test } from '@jest/globals';
import { identityOf, parseDeadLetter } from '../../../../local/inspect/dead-letter.ts';

function identity(offset: number, headers: Readonly<Record<string, string>>): string {
  const list = Object.entries(headers).map(([name, value]) => [`millrace-${name}`, Buffer.from(value)] as const);
  return identityOf(parseDeadLetter({ partition: 0, offset, timestamp: 0, key: null, value: null, headers: list }));
}

test('copies are of one task and origin: a record can fail in several tasks, or stages', () => {
  const letter = { origin: 'a/t-0@1:5.0.0', stage: 'b', task: 'b/c-0@1' };

  expect(identity(8, letter)).toBe(identity(3, letter));
  expect(identity(3, { ...letter, task: 'b/c-1@1' })).not.toBe(identity(3, letter));
  expect(identity(3, { ...letter, stage: 'd', task: 'd/c-0@1' })).not.toBe(identity(3, letter));
  expect(identity(3, { ...letter, origin: 'a/t-0@1:5.0.1' })).not.toBe(identity(3, letter));
});

test('what has no origin is its own', () => {
  expect(identity(3, {})).not.toBe(identity(8, {}));
});
