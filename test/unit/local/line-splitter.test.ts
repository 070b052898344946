import { expect, test } from '@jest/globals';
import { LineSplitter } from '../../../local/line-splitter.ts';

test('puts pieces together and cuts them into lines', () => {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const piece of ['a', 'b\nc\n', '\nd', 'e']) splitter.push(piece);
  expect(lines).toEqual(['ab', 'c', '']);

  splitter.end();
  splitter.end();
  expect(lines).toEqual(['ab', 'c', '', 'de']);
});
