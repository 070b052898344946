import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { MappingDriver } from './mapping-driver.ts';

let driver: MappingDriver;

beforeEach(() => {
  driver = new MappingDriver();
});
afterEach(() => driver.close());

const failure = (partition: string, offset: number): unknown => ({ batchItemFailures: [{ itemIdentifier: { partition, offset } }] });

test('where they are honored, what lies before the failed record is committed and the rest comes again', async () => {
  await driver.start({ partialBatchResponse: true });
  await driver.append(0, 'a', 'b', 'c');
  await driver.last.answer(failure('t-0', 1));

  expect(driver.committed()).toEqual([1, 0]);
  expect(driver.last.offsets).toEqual(['t-0:1,2']);
});

test('where they are not, the batch counts as done', async () => {
  await driver.start();
  await driver.append(0, 'a', 'b');
  await driver.last.answer(failure('t-0', 0));

  expect(driver.committed()).toEqual([2, 0]);
  expect(driver.calls).toHaveLength(1);
});

test('of several failures in a partition the lowest counts; other partitions of the event are through', async () => {
  await driver.append(0, 'a', 'b', 'c');
  await driver.append(1, 'd');
  await driver.start({ partialBatchResponse: true, mixPartitions: true });
  await driver.last.answer({ batchItemFailures: [2, 1].map((offset) => ({ itemIdentifier: { partition: 't-0', offset } })) });

  expect(driver.committed()).toEqual([1, 1]);
});

test.each([
  ['null', null],
  ['an empty object', {}],
  ['an empty list', { batchItemFailures: [] }],
  ['null for the list', { batchItemFailures: null }],
])('%s is success', async (_, answer) => {
  await driver.start({ partialBatchResponse: true });
  await driver.append(0, 'a');
  await driver.last.answer(answer);

  expect(driver.committed()).toEqual([1, 0]);
});

test.each([
  ['the first record', failure('t-0', 0)],
  ['a partition that was not in the batch', failure('t-1', 0)],
  ['an offset that was not in the batch', failure('t-0', 7)],
  ['an offset as text', { batchItemFailures: [{ itemIdentifier: { partition: 't-0', offset: '1' } }] }],
  ['no identifier', { batchItemFailures: [{}] }],
  ['no list', { batchItemFailures: 'all' }],
])('naming %s brings the whole batch again', async (_, answer) => {
  await driver.start({ partialBatchResponse: true });
  await driver.append(0, 'a', 'b');
  await driver.last.answer(answer);
  expect(driver.committed()).toEqual([0, 0]);
  await driver.clock.advance(10);

  expect(driver.last.offsets).toEqual(['t-0:0,1']);
  expect(driver.mapping.stats.retries).toBe(1);
});
