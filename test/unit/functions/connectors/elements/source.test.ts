import { expect, test } from '@jest/globals';
import { string } from '../../../../../functions/codec/string.ts';
import { elementsSource } from '../../../../../functions/connectors/elements/source.ts';
import type { FeedSource } from '../../../../../functions/connectors/source.ts';

async function readAll<T>(source: FeedSource<T>): Promise<readonly (readonly T[])[]> {
  const parts: T[][] = [];
  for await (const records of source.read()) parts.push(records.map((record) => source.value.decode(record)));
  return parts;
}

test('feeds the values in order, some at a time, whenever it is read', async () => {
  const values = Array.from({ length: 1500 }, (_, index) => ({ index }));
  const source = elementsSource(values);

  const parts = await readAll(source);

  expect(parts.map(({ length }) => length)).toEqual([1000, 500]);
  expect(parts.flat()).toEqual(values);
  expect(await readAll(source)).toEqual(parts);
});

test('reads an iterable once, when it is made', async () => {
  const values = new Set(['a']);
  const source = elementsSource(values, string());
  values.add('b');

  expect(await readAll(source)).toEqual([['a']]);
});

test('keeps what JSON would lose', async () => {
  const values = [undefined, new Date(0), 10n, new Map([['a', new Set([NaN])]])];

  expect((await readAll(elementsSource<unknown>(values))).flat()).toEqual(values);
});

test('feeds nothing from nothing', async () => {
  expect(await readAll(elementsSource([]))).toEqual([]);
});
