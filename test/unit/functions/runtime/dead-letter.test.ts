import { describe, expect, test } from '@jest/globals';
import { deadLetterMessage, headersBehind } from '../../../../functions/runtime/dead-letter.ts';

const failure = { code: 'MILLRACE_USER_FUNCTION', message: 'no', stack: '', attempts: 3 };
const letter = {
  origin: 'in/in-0@1:0.0.0',
  stage: 'in',
  task: 'in/in-0@1',
  failure,
  kind: 'message',
  key: null,
  value: Buffer.from('v'),
} as const;
const header = (name: string, bytes: number): readonly [string, Uint8Array] => [name, new Uint8Array(bytes)];

describe('headers of the message behind a dead letter', () => {
  test('come back as they were, those of another dead letter among them', () => {
    const headers = [header('a', 1), header('millrace-code', 2), header('a', 3), header('millrace-header-x', 0)];
    const message = deadLetterMessage({ ...letter, headers });

    expect(headersBehind(message.headers ?? [])).toEqual(headers);
    expect(String(message.headers?.find(([name]) => name === 'millrace-code')?.[1])).toBe('MILLRACE_USER_FUNCTION');
  });

  test('are left out where they are too large, and counted; the payload has the rest of the room', () => {
    const headers = [header('a', 10_000), header('b', 10_000), header('c', 5000)];
    const message = deadLetterMessage({ ...letter, value: new Uint8Array(1_000_000), headers });

    expect(headersBehind(message.headers ?? []).map(([name]) => name)).toEqual(['a', 'c']);
    expect(String(message.headers?.find(([name]) => name === 'millrace-headers-left-out')?.[1])).toBe('1');
    const bytes = (message.headers ?? []).reduce((sum, [name, value]) => sum + name.length + value.length, message.value?.length ?? 0);
    expect(bytes).toBeLessThan(1_000_100);
    expect(bytes).toBeGreaterThan(999_000);
  });
});
