import { expect, test } from '@jest/globals';
import { AsciiText } from '../../../../local/emulator/ascii-text.ts';

test('is all pieces one after another, however long', () => {
  const text = new AsciiText();
  const pieces = Array.from({ length: 3000 }, (_, i) => `${i},`.repeat(1 + (i % 50)));
  for (const piece of pieces) text.add(piece);

  expect(text.length).toBe(pieces.join('').length);
  expect(text.take()).toBe(pieces.join(''));
});

test('texts under way at the same time, and one after another in the same room, keep apart', () => {
  const [first, second] = [new AsciiText(), new AsciiText()];
  first.add('a'.repeat(100_000));
  second.add('b');
  first.add('c');
  const taken = first.take();
  const third = new AsciiText();
  third.add('ddd');
  second.add('e');

  expect([taken.slice(-2), second.take(), third.take()]).toEqual(['ac', 'be', 'ddd']);
});
