import { expect, test } from '@jest/globals';
import { MemoryCoordination } from '../../../functions/coordination/memory/memory-coordination.ts';
import { MemoryTree } from '../../../functions/coordination/memory/memory-tree.ts';
import { MillraceError } from '../../../functions/shared/errors.ts';
import { type FeedTurnOptions, takeFeedTurn } from '../../../local/feed-turn.ts';

const PATH = '/millrace/default/shop/feeders/orders';

function options(holder: string, coordination: MemoryCoordination, more: Partial<FeedTurnOptions> = {}): FeedTurnOptions {
  return { coordination, path: PATH, holder, onWait: () => undefined, signal: new AbortController().signal, ...more };
}

test('one run has the turn; the other is told that it waits, and gets it when the first is gone', async () => {
  const tree = new MemoryTree();
  const first = new MemoryCoordination(tree);
  let waits = 0;
  const turn = await takeFeedTurn(options('a', first));
  const next = takeFeedTurn(
    options('b', new MemoryCoordination(tree), {
      onWait: () => {
        waits++;
        void first.close();
      },
    }),
  );

  expect(turn?.lost.aborted).toBe(false);
  await expect(next).resolves.toMatchObject({ lost: { aborted: false } });
  expect(waits).toBe(1);
});

test('a turn is lost with its session, and can be taken again', async () => {
  const session = new MemoryCoordination(new MemoryTree());
  const turn = await takeFeedTurn(options('a', session));
  await session.expire();

  expect(turn?.lost.aborted).toBe(true);
  await expect(takeFeedTurn(options('a', session))).resolves.toMatchObject({ lost: { aborted: false } });
});

test('a turn that was taken though the answer was lost is known as ours', async () => {
  const session = new MemoryCoordination(new MemoryTree());
  const create = session.create.bind(session);
  session.create = async (path, data, kind) => {
    session.create = create;
    await create(path, data, kind);
    throw new MillraceError('MILLRACE_OUTCOME_UNKNOWN', 'lost');
  };

  await expect(takeFeedTurn(options('a', session))).resolves.toMatchObject({ lost: { aborted: false } });
});

test('who is stopped waits no more', async () => {
  const tree = new MemoryTree();
  await takeFeedTurn(options('a', new MemoryCoordination(tree)));
  const stop = new AbortController();

  await expect(
    takeFeedTurn(options('b', new MemoryCoordination(tree), { signal: stop.signal, onWait: () => stop.abort() })),
  ).resolves.toBeUndefined();
});

test('what no wait can mend is thrown', async () => {
  const session = new MemoryCoordination(new MemoryTree());
  session.create = () => Promise.reject(new MillraceError('MILLRACE_NOT_AUTHORIZED', 'no'));

  await expect(takeFeedTurn(options('a', session))).rejects.toMatchObject({ code: 'MILLRACE_NOT_AUTHORIZED' });
});
