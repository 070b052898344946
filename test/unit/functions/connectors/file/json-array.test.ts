import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { JsonArraySplitter } from '../../../../../functions/connectors/file/json-array.ts';

function split(chunks: readonly Uint8Array[]): readonly string[] {
  const splitter = new JsonArraySplitter('input');
  const records = [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.end()];
  return records.map((record) => Buffer.from(record).toString());
}

function splitText(text: string): readonly string[] {
  return split([Buffer.from(text)]);
}

/** Cuts `bytes` at the given places, whatever they hit. */
function cut(bytes: Uint8Array, places: readonly number[]): readonly Uint8Array[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).sort((left, right) => left - right), bytes.length];
  return at.slice(1).map((to, index) => bytes.subarray(at[index], to));
}

describe('JsonArraySplitter', () => {
  test.each([
    ['[]', []],
    [' [ ] \n', []],
    ['[{"a":1},{"a":2}]', ['{"a":1}', '{"a":2}']],
    [' [ {"a" : 1} ,\r\n\t{"a":2}\n]\n', ['{"a" : 1}', '{"a":2}']],
    ['[1,-2.5e3 , true,null\n]', ['1', '-2.5e3', 'true', 'null']],
    ['["a","b\\"]","\\\\"]', ['"a"', '"b\\"]"', '"\\\\"']],
    ['[[1,[2]],{"a":{"b":["]}"]}}]', ['[1,[2]]', '{"a":{"b":["]}"]}}']],
    ['\uFEFF[1]', ['1']],
    ['["ö","\u{1F600}"]', ['"ö"', '"\u{1F600}"']],
  ])('splits %p', (text, records) => {
    expect(splitText(text)).toEqual(records);
  });

  test('gives the same records however the bytes are cut', () => {
    const spaced = fc.tuple(fc.array(fc.jsonValue()), fc.constantFrom(undefined, 1, '\t'));
    fc.assert(
      fc.property(spaced, fc.array(fc.nat()), ([values, space], places) => {
        const bytes = Buffer.from(JSON.stringify(values, null, space));

        const records = split(cut(bytes, places));

        expect(records.map((record) => JSON.parse(record) as unknown)).toEqual(JSON.parse(bytes.toString()));
      }),
      { numRuns: 500 },
    );
  });

  test('leaves what is wrong inside an element to the codec', () => {
    expect(splitText('[{"a":},{oops},"\\x"]')).toEqual(['{"a":}', '{oops}', '"\\x"']);
  });

  test('splits a record of many chunks', () => {
    const text = 'x'.repeat(100);
    const chunks = [...Buffer.from(`["${text}",1]`)].map((byte) => Uint8Array.of(byte));

    expect(split(chunks)).toEqual([`"${text}"`, '1']);
  });

  test.each([
    ['', 'input ends at byte 0, where array should follow'],
    ['[1', 'input ends at byte 2, where the rest of an element should follow'],
    ['[1,', 'input ends at byte 3, where element should follow'],
    ['["a', 'input ends at byte 3, where the rest of an element should follow'],
    ['{"a":1}', "at byte 0 stands '{', where array should be; for a record a line give format: 'json-lines'"],
    ['[1,]', "at byte 3 stands ']', where element should be"],
    ['[,1]', "at byte 1 stands ','"],
    ['[1 2]', "at byte 3 stands '2', where comma or end should be"],
    ['[{} {}]', "at byte 4 stands '{', where comma or end should be"],
    ['[1}]', "at byte 2 stands '}'"],
    ['[1] [2]', "at byte 4 stands '['"],
    ['\u0000', 'at byte 0 stands byte 0x0'],
  ])('refuses %p and says where', (text, message) => {
    expect(() => splitText(text)).toThrow(
      expect.objectContaining({ code: 'MILLRACE_INPUT_UNREADABLE', message: expect.stringContaining(message) }),
    );
  });

  test('counts positions over chunks', () => {
    expect(() => split([Buffer.from('[1,'), Buffer.from('2,}')])).toThrow(/at byte 5 stands '}'/);
  });
});
