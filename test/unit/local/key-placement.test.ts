import { expect, test } from '@jest/globals';
import { KeyPlacement } from '../../../local/key-placement.ts';

const seen = (partition: number, ...keys: string[]) => ({ topic: 'orders', partition, keys });

test('keys that stay in their partition are right, however often they come', () => {
  const placement = new KeyPlacement();

  expect([seen(0, 'sa', 'sb'), seen(1, 'n1', 's1'), seen(0, 'sa')].map((batch) => placement.note(batch))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test('names the key and both partitions', () => {
  const placement = new KeyPlacement();
  placement.note(seen(3, 'sa', 't["x",1]'));

  expect(placement.note(seen(1, 'sb', 't["x",1]'))).toMatchObject({
    code: 'MILLRACE_KEY_IN_TWO_PARTITIONS',
    message: expect.stringContaining('key ["x",1] stands in partitions 1 and 3 of topic orders'),
  });
});
