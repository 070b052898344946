import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Coordination, SessionEvent } from '../../functions/coordination/coordination.ts';

/** An empty store and sessions on it. */
export interface CoordinationSubject {
  /** A new session; closed by the suite. */
  open(): Coordination;
  /** Makes the session of `coordination` expire, and resolves when the store has noticed. */
  expire(coordination: Coordination): Promise<void>;
  close(): Promise<void>;
}

const NO_DATA = new Uint8Array();

/** What every Coordination must do beyond the state backend's contract. */
export function coordinationContract(name: string, prepare: () => Promise<CoordinationSubject>): void {
  describe(`Coordination contract: ${name}`, () => {
    let subject: CoordinationSubject;
    let ours: Coordination;
    let other: Coordination;
    const opened: Coordination[] = [];
    const open = (): Coordination => {
      const session = subject.open();
      opened.push(session);
      return session;
    };

    beforeEach(async () => {
      subject = await prepare();
      [ours, other] = [open(), open()];
      await ours.multi([{ op: 'create', path: '/a', data: Uint8Array.of(1) }]);
    });
    afterEach(async () => {
      for (const session of opened.splice(0)) await session.close();
      await subject.close();
    });

    /** Resolves with the calls so far, once there are `count`. */
    function counter(): { onChange: () => void; reach(count: number): Promise<number> } {
      let calls = 0;
      let tell: () => void = () => undefined;
      return {
        onChange: () => {
          calls++;
          tell();
        },
        reach: async (count) => {
          while (calls < count) await new Promise<void>((resolve) => (tell = resolve));
          return calls;
        },
      };
    }

    describe('create', () => {
      test('makes a node that lasts, and gives its path', async () => {
        expect(await ours.create('/b', Uint8Array.of(7), {})).toBe('/b');

        await ours.close();
        expect(await other.read('/b')).toMatchObject({ data: Buffer.of(7), version: 0 });
        await expect(other.create('/b', NO_DATA, {})).rejects.toMatchObject({ code: 'MILLRACE_NODE_EXISTS' });
      });

      test('numbers sequential nodes upwards, whoever makes them, and uses no number twice', async () => {
        const first = await ours.create('/a/n-', NO_DATA, { sequential: true });
        const second = await other.create('/a/n-', NO_DATA, { sequential: true });
        await ours.multi([{ op: 'delete', path: second }]);
        const third = await ours.create('/a/n-', NO_DATA, { sequential: true, ephemeral: true });

        for (const path of [first, second, third]) expect(path).toMatch(/^\/a\/n-\d{10}$/);
        expect([third, first, second].sort()).toEqual([first, second, third]);
        expect(new Set([first, second, third]).size).toBe(3);
      });

      test('makes missing parents, of each operation', async () => {
        await ours.create('/p/q/r', Uint8Array.of(1), {});
        await ours.multi([
          { op: 'create', path: '/p/s/t', data: NO_DATA },
          { op: 'create', path: '/u/v/w', data: NO_DATA },
        ]);

        expect((await other.read('/p/q/r'))?.version).toBe(0);
        expect([await other.list('/p/s'), await other.list('/u/v')]).toEqual([['t'], ['w']]);
      });

      test('of many sessions that make the same missing parents all succeed', async () => {
        const sessions = [ours, other, open(), open()];

        await Promise.all(sessions.map((session, i) => session.create(`/deep/er/still/${i}`, NO_DATA, {})));

        expect(await ours.list('/deep/er/still')).toEqual(['0', '1', '2', '3']);
      });
    });

    describe('ephemeral nodes', () => {
      test('go with their session, and only they', async () => {
        await ours.create('/a/mine', NO_DATA, { ephemeral: true });
        await other.create('/a/theirs', NO_DATA, { ephemeral: true });
        expect(await other.list('/a')).toEqual(['mine', 'theirs']);

        await ours.close();

        expect(await other.list('/a')).toEqual(['theirs']);
      });

      test('have no children', async () => {
        await ours.create('/a/e', NO_DATA, { ephemeral: true });

        await expect(ours.create('/a/e/x', NO_DATA, {})).rejects.toMatchObject({ code: 'MILLRACE_CONFLICT' });
      });

      test('are lost when the session expires, which is told; a new session goes on', async () => {
        await ours.create('/a/e', NO_DATA, { ephemeral: true });
        const events: SessionEvent[] = [];
        let isBack: () => void = () => undefined;
        const back = new Promise<void>((resolve) => (isBack = resolve));
        ours.onSession((event) => {
          events.push(event);
          if (event === 'connected') isBack();
        });

        await subject.expire(ours);
        await back;

        expect(events.slice(events.indexOf('lost'))).toEqual(['lost', 'connected']);
        expect(await ours.list('/a')).toEqual([]);
        await ours.create('/a/e', NO_DATA, { ephemeral: true });
        expect(await other.list('/a')).toEqual(['e']);
      });

      test('a listener that was taken away hears nothing', async () => {
        const events: SessionEvent[] = [];
        await ours.read('/a');
        const stop = ours.onSession((event) => events.push(event));
        stop();
        const done = new Promise<void>((resolve) => ours.onSession((event) => event === 'connected' && resolve()));

        await subject.expire(ours);
        await done;

        expect(events).toEqual([]);
      });
    });

    describe('watch', () => {
      test.each([
        ['a node is made', '/b', { op: 'create', path: '/b', data: NO_DATA }],
        ['a node is set', '/a', { op: 'set', path: '/a', data: NO_DATA, version: 0 }],
        ['a node is deleted', '/a', { op: 'delete', path: '/a' }],
        ['a child is made', '/a', { op: 'create', path: '/a/x', data: NO_DATA }],
      ] as const)('tells that %s', async (_, path, op) => {
        const changes = counter();
        await ours.watch(path, changes.onChange);

        await other.multi([op]);

        await expect(changes.reach(1)).resolves.toBeGreaterThan(0);
      });

      test('goes on telling, and what is read then is new', async () => {
        const changes = counter();
        await ours.watch('/a', changes.onChange);

        for (let version = 0; version < 5; version++) {
          await other.multi([{ op: 'set', path: '/a', data: Uint8Array.of(version), version }]);
          await changes.reach(version + 1);
          expect((await ours.read('/a'))?.version).toBe(version + 1);
        }
        await other.multi([{ op: 'delete', path: '/a' }]);
        const calls = await changes.reach(6);
        await other.multi([{ op: 'create', path: '/a', data: NO_DATA }]);
        await changes.reach(calls + 1);
        expect((await ours.read('/a'))?.version).toBe(0);
      });

      test('tells nothing after it was ended', async () => {
        const [ended, lasting] = [counter(), counter()];
        const stop = await ours.watch('/a', ended.onChange);
        await ours.watch('/a', lasting.onChange);
        stop();

        await other.multi([{ op: 'set', path: '/a', data: NO_DATA, version: 0 }]);
        await lasting.reach(1);

        await expect(Promise.race([ended.reach(1), Promise.resolve('nothing')])).resolves.toBe('nothing');
      });

      test('outlives the session', async () => {
        const changes = counter();
        await ours.watch('/a', changes.onChange);
        const back = new Promise<void>((resolve) => ours.onSession((event) => event === 'connected' && resolve()));
        await subject.expire(ours);
        await back;
        await ours.read('/a');

        await other.multi([{ op: 'set', path: '/a', data: NO_DATA, version: 0 }]);

        await changes.reach(1);
        expect((await ours.read('/a'))?.version).toBe(1);
      });
    });
  });
}
