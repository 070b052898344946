import { expect, test } from '@jest/globals';
import { Slots } from '../../../local/slots.ts';
import { settle } from './manual-local-clock.ts';

async function acquireAll(slots: Slots, ...wanted: (readonly [owner: string, priority: number])[]): Promise<string[]> {
  const started: string[] = [];
  for (const [owner, priority] of wanted) void slots.acquire(owner, priority).then(() => started.push(`${owner}${priority}`));
  await settle();
  return started;
}

test('as many as there are slots run at once; who waits is served by priority, then in order', async () => {
  const slots = new Slots(1);
  const started = await acquireAll(slots, ['a', 0], ['b', 1], ['c', 2], ['d', 2], ['e', 0]);
  for (const owner of ['a', 'c', 'd', 'b']) {
    slots.release(owner);
    await settle();
  }

  expect(started).toEqual(['a0', 'c2', 'd2', 'b1', 'e0']);
});

test('one owner takes no more than its share, and lets others pass', async () => {
  const slots = new Slots(3, 1);
  const started = await acquireAll(slots, ['a', 5], ['a', 5], ['b', 0]);
  expect(started).toEqual(['a5', 'b0']);

  slots.release('a');
  await settle();
  expect(started).toEqual(['a5', 'b0', 'a5']);
});
