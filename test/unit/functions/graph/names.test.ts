import { describe, expect, test } from '@jest/globals';
import { checkName, checkUid, batchUid, elementsUid, isGeneratedUid, isName, slug } from '../../../../functions/graph/names.ts';

describe('names', () => {
  test.each(['a', 'A-b_9', 'x'.repeat(64)])('%p may stand in a topic', (name) => {
    expect(isName(name)).toBe(true);
    expect(checkName('a pipeline', name)).toBe(name);
    expect(checkUid(name)).toBe(name);
  });

  test.each(['', 'a b', 'a.b', 'a/b', 'é', 'x'.repeat(65), 1, undefined])('%p may not', (name) => {
    expect(isName(name)).toBe(false);
    expect(() => checkName('the namespace', name)).toThrow(
      expect.objectContaining({ code: 'MILLRACE_OPTION_INVALID', message: expect.stringContaining('the namespace is') }),
    );
    expect(() => checkUid(name)).toThrow(expect.objectContaining({ code: 'MILLRACE_UID_INVALID' }));
  });

  test('a uid may not take the name of the dead-letter topic', () => {
    expect(() => checkUid('dlq')).toThrow(expect.objectContaining({ code: 'MILLRACE_UID_INVALID' }));
    expect(slug('DLQ')).toBeUndefined();
  });

  test.each([
    ['Delay per origin', 'delay-per-origin'],
    ['  a  ', 'a'],
    ['snake_case', 'snake_case'],
    ['Zoë & Co.', 'zo-co'],
    ['日本', undefined],
    ['x'.repeat(70), 'x'.repeat(64)],
    [`${'x'.repeat(63)} y`, 'x'.repeat(63)],
  ])('the slug of %p is %p', (name, expected) => {
    expect(slug(name)).toBe(expected);
  });

  test('uids of elements are known again', () => {
    expect(isGeneratedUid(elementsUid(3))).toBe(true);
    expect(isGeneratedUid('elements')).toBe(false);
    expect(isGeneratedUid(batchUid(7, 'reduceGroup'))).toBe(true);
    expect(isGeneratedUid('batch-7')).toBe(false);
  });
});
