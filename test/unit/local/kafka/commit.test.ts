import { expect, test } from '@jest/globals';
import type { Consumer } from 'kafkajs';
import { commitOffsets } from '../../../../local/kafka/commit.ts';

type Committing = Parameters<typeof commitOffsets>[0];

/** A consumer that commits, or only says so as kafkajs does while it begins again. */
function consumer(commits: boolean): Committing & { readonly sent: unknown[]; readonly listeners: Set<() => void> } {
  const listeners = new Set<() => void>();
  const sent: unknown[] = [];
  return {
    sent,
    listeners,
    events: { COMMIT_OFFSETS: 'consumer.commit_offsets' } as Consumer['events'],
    on: ((_: unknown, listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    }) as unknown as Consumer['on'],
    commitOffsets(offsets) {
      sent.push(offsets);
      if (commits) for (const listener of listeners) listener();
      return Promise.resolve();
    },
  };
}

const offsets = [{ topic: 't', partition: 1, offset: 7 }];

test('commits, and listens no more', async () => {
  const running = consumer(true);

  await commitOffsets(running, offsets);

  expect(running.sent).toEqual([[{ topic: 't', partition: 1, offset: '7' }]]);
  expect(running.listeners.size).toBe(0);
});

test('a commit that the client has left out without a word is a failure', async () => {
  const stopped = consumer(false);

  await expect(commitOffsets(stopped, offsets)).rejects.toThrow('has committed nothing');
  expect(stopped.listeners.size).toBe(0);
});
