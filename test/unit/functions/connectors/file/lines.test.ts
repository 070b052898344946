import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LineSplitter } from '../../../../../functions/connectors/file/lines.ts';

function split(chunks: readonly string[]): readonly string[] {
  const splitter = new LineSplitter();
  const records = [...chunks.flatMap((chunk) => splitter.push(Buffer.from(chunk))), ...splitter.end()];
  return records.map((record) => Buffer.from(record).toString());
}

test.each([
  ['', []],
  ['a', ['a']],
  ['a\nb\n', ['a', 'b']],
  ['a\r\nb', ['a', 'b']],
  ['\n\na\n\r\n\n', ['a']],
  ['a\rb', ['a\rb']],
])('splits %p into lines', (text, lines) => {
  expect(split([text])).toEqual(lines);
});

test('gives the same lines however the text is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.constantFrom('a', '\n', '\r', 'bc'))), (chunks) => {
      const texts = chunks.map((chunk) => chunk.join(''));

      expect(split(texts)).toEqual(split([texts.join('')]));
    }),
  );
});
