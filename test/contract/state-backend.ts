import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { StateBackend } from '../../functions/state/state-backend.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** What every StateBackend must do. `open` gives an empty store; `close` is called on what it gave. */
export function stateBackendContract(name: string, open: () => Promise<{ readonly state: StateBackend; close(): Promise<void> }>): void {
  describe(`StateBackend contract: ${name}`, () => {
    let subject: { readonly state: StateBackend; close(): Promise<void> };
    let state: StateBackend;

    beforeEach(async () => {
      subject = await open();
      state = subject.state;
    });
    afterEach(() => subject.close());

    const create = (path: string, data = bytes(1)): Promise<void> => state.multi([{ op: 'create', path, data }]);
    const read = async (path: string): Promise<[number[], number] | undefined> => {
      const node = await state.read(path);
      return node && [[...node.data], node.version];
    };

    test('a node that is not there reads as undefined', async () => {
      await expect(state.read('/a')).resolves.toBeUndefined();
    });

    test('a created node has version 0, and every set adds one', async () => {
      await create('/a', bytes(1, 2));
      expect(await read('/a')).toEqual([[1, 2], 0]);

      await state.multi([{ op: 'set', path: '/a', data: bytes(3), version: 0 }]);
      await state.multi([{ op: 'set', path: '/a', data: bytes(), version: 1 }]);

      expect(await read('/a')).toEqual([[], 2]);
    });

    test('a second create fails and changes nothing', async () => {
      await create('/a', bytes(1));

      await expect(create('/a', bytes(2))).rejects.toMatchObject({ code: 'MILLRACE_NODE_EXISTS' });
      expect(await read('/a')).toEqual([[1], 0]);
    });

    test.each([
      ['set with a version gone by', { op: 'set', path: '/a', data: bytes(9), version: 0 }],
      ['set with a version to come', { op: 'set', path: '/a', data: bytes(9), version: 2 }],
      ['check of a version gone by', { op: 'check', path: '/a', version: 0 }],
      ['set without a node', { op: 'set', path: '/b', data: bytes(9), version: 0 }],
      ['check without a node', { op: 'check', path: '/b', version: 0 }],
      ['delete without a node', { op: 'delete', path: '/b' }],
    ] as const)('%s is a conflict', async (_, op) => {
      await create('/a');
      await state.multi([{ op: 'set', path: '/a', data: bytes(2), version: 0 }]);

      await expect(state.multi([op])).rejects.toMatchObject({ code: 'MILLRACE_CONFLICT' });
      expect(await read('/a')).toEqual([[2], 1]);
    });

    test('a multi applies all or nothing', async () => {
      await create('/a');

      const failing = state.multi([
        { op: 'set', path: '/a', data: bytes(2), version: 0 },
        { op: 'create', path: '/a/b', data: bytes(3) },
        { op: 'check', path: '/a', version: 7 },
      ]);
      await expect(failing).rejects.toMatchObject({ code: 'MILLRACE_CONFLICT' });
      expect([await read('/a'), await read('/a/b'), await state.list('/a')]).toEqual([[[1], 0], undefined, []]);

      await state.multi([
        { op: 'set', path: '/a', data: bytes(2), version: 0 },
        { op: 'create', path: '/a/b', data: bytes(3) },
        { op: 'check', path: '/a', version: 1 },
      ]);
      expect([await read('/a'), await read('/a/b')]).toEqual([
        [[2], 1],
        [[3], 0],
      ]);
    });

    test('of two writes at one version one wins', async () => {
      await create('/a');

      const outcomes = await Promise.allSettled(
        [2, 3].map((value) => state.multi([{ op: 'set', path: '/a', data: bytes(value), version: 0 }])),
      );

      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      expect((await read('/a'))?.[1]).toBe(1);
    });

    test('a node made again after a delete has another identity', async () => {
      await create('/a');
      const first = await state.read('/a');
      await state.multi([{ op: 'delete', path: '/a' }]);
      expect(await read('/a')).toBeUndefined();
      await create('/a');

      const second = await state.read('/a');
      expect(second?.version).toBe(0);
      expect(second?.created).not.toBe(first?.created);
    });

    test('a set keeps the identity', async () => {
      await create('/a');
      const first = await state.read('/a');
      await state.multi([{ op: 'set', path: '/a', data: bytes(2), version: 0 }]);

      expect((await state.read('/a'))?.created).toBe(first?.created);
    });

    test('lists names of children, sorted, and no grandchildren', async () => {
      for (const path of ['/t', '/t/d-10', '/t/d-2', '/t/ä', '/t2']) await create(path);
      await create('/t/d-2/x');

      expect(await state.list('/t')).toEqual(['d-10', 'd-2', 'ä']);
      await state.multi([{ op: 'delete', path: '/t/d-10' }]);
      expect(await state.list('/t')).toEqual(['d-2', 'ä']);
      expect(await state.list('/nothing')).toEqual([]);
    });

    test('takes what fits the limit, and refuses what does not before sending anything', async () => {
      await create('/fits', new Uint8Array(state.limits.nodeBytes));
      expect((await state.read('/fits'))?.data.length).toBe(state.limits.nodeBytes);

      await expect(create('/large', new Uint8Array(state.limits.nodeBytes + 1))).rejects.toMatchObject({ code: 'MILLRACE_NODE_TOO_LARGE' });
      const halves = ['/x', '/y'].map((path) => ({ op: 'create', path, data: new Uint8Array(state.limits.multiBytes / 2 + 1) }) as const);
      await expect(state.multi(halves)).rejects.toMatchObject({ code: 'MILLRACE_NODE_TOO_LARGE' });
      expect([await read('/large'), await read('/x')]).toEqual([undefined, undefined]);
    });

    test('makes what is missing above a node', async () => {
      await create('/p/q/r', bytes(7));
      await state.multi([
        { op: 'create', path: '/p/s/t', data: bytes(1) },
        { op: 'create', path: '/p/s/t/u', data: bytes(2) },
      ]);

      expect([await read('/p/q/r'), await read('/p/s/t/u')]).toEqual([
        [[7], 0],
        [[2], 0],
      ]);
    });

    test('a node with children cannot be deleted', async () => {
      await create('/a');
      await create('/a/b');

      await expect(state.multi([{ op: 'delete', path: '/a' }])).rejects.toMatchObject({ code: 'MILLRACE_CONFLICT' });
      await state.multi([
        { op: 'delete', path: '/a/b' },
        { op: 'delete', path: '/a' },
      ]);
      expect(await read('/a')).toBeUndefined();
    });

    test('a version that is checked at 0 is 0', async () => {
      await create('/a');
      await state.multi([{ op: 'check', path: '/a', version: 0 }]);
      await state.multi([{ op: 'set', path: '/a', data: bytes(2), version: 0 }]);

      for (const op of ['check', 'set'] as const)
        await expect(state.multi([{ op, path: '/a', version: 0, data: bytes(3) }])).rejects.toMatchObject({ code: 'MILLRACE_CONFLICT' });
      expect(await read('/a')).toEqual([[2], 1]);
    });

    test('an empty multi does nothing', async () => {
      await expect(state.multi([])).resolves.toBeUndefined();
    });
  });
}
