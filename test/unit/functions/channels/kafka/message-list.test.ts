import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { OutgoingMessage } from '../../../../../functions/channels/channel-writer.ts';
import { cutMessages, sendInLists } from '../../../../../functions/channels/kafka/message-list.ts';
import { MillraceError } from '../../../../../functions/shared/errors.ts';

const MIB = 1024 * 1024;
const message = (bytes: number): OutgoingMessage => ({ key: null, value: new Uint8Array(bytes) });

describe('cutMessages', () => {
  test('sends what is small in one list, and nothing for nothing', () => {
    const list = [message(1), message(2)];

    expect(cutMessages(list)).toEqual([list]);
    expect(cutMessages([])).toEqual([]);
  });

  test('keeps every message, in order, in lists below 1 MiB unless a message alone is larger', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat(300), fc.nat(2 * MIB)), { maxLength: 40 }), (sizes) => {
        const messages = sizes.map(message);
        const lists = cutMessages(messages);

        expect(lists.flat()).toEqual(messages);
        for (const list of lists) {
          expect(list.length).toBeGreaterThan(0);
          if (list.length > 1) expect(list.reduce((sum, { value }) => sum + 32 + (value?.length ?? 0), 0)).toBeLessThan(MIB);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('counts keys and headers too', () => {
    const half = { key: new Uint8Array(200_000), value: null, headers: [['h', new Uint8Array(300_000)]] as const };

    expect(cutMessages([half, half, half]).map((list) => list.length)).toEqual([1, 1, 1]);
  });
});

describe('sendInLists', () => {
  /** A topic that takes so many bytes at once. */
  function topic(limit: number): { readonly sent: number[][]; send(list: readonly OutgoingMessage[]): Promise<void> } {
    const sent: number[][] = [];
    const send = async (list: readonly OutgoingMessage[]): Promise<void> => {
      await Promise.resolve();
      const sizes = list.map(({ value }) => value?.length ?? 0);
      if (sizes.reduce((sum, size) => sum + size, 0) > limit) throw new MillraceError('MILLRACE_MESSAGE_TOO_LARGE', 'too large');
      sent.push(sizes);
    };
    return { sent, send };
  }

  test('sends lists one after the other, and in halves what the topic finds too large', async () => {
    const { sent, send } = topic(5);
    await sendInLists([1, 2, 3, 4, 5].map(message), send);

    expect(sent).toEqual([[1, 2], [3], [4], [5]]);
  });

  test('fails with a message that is too large alone, and sends nothing behind it', async () => {
    const { sent, send } = topic(5);

    await expect(sendInLists([1, 6, 2].map(message), send)).rejects.toMatchObject({ code: 'MILLRACE_MESSAGE_TOO_LARGE' });
    expect(sent).toEqual([[1]]);
  });

  test('gives those whose timestamps are refused to the caller, and sends all others', async () => {
    const sent: number[] = [];
    const send = async (list: readonly OutgoingMessage[]): Promise<void> => {
      await Promise.resolve();
      if (list.some(({ timestamp = 0 }) => timestamp > 9)) throw new MillraceError('MILLRACE_TIMESTAMP_REFUSED', 'too far ahead');
      sent.push(...list.map(({ timestamp = 0 }) => timestamp));
    };
    const list = [1, 10, 2, 3, 11].map((timestamp) => ({ ...message(1), timestamp }));
    const refused: unknown[] = [];
    await sendInLists(list, send, ({ timestamp }, { code }) => refused.push([timestamp, code]));

    expect(sent).toEqual([1, 2, 3]);
    expect(refused).toEqual([10, 11].map((timestamp) => [timestamp, 'MILLRACE_TIMESTAMP_REFUSED']));
    await expect(sendInLists(list, send)).rejects.toMatchObject({ code: 'MILLRACE_TIMESTAMP_REFUSED' });
  });

  test('does not try again what fails otherwise', async () => {
    let calls = 0;
    const send = (): Promise<void> => {
      calls++;
      return Promise.reject(new MillraceError('MILLRACE_PRODUCE_FAILED', 'gone'));
    };

    await expect(sendInLists([1, 2].map(message), send)).rejects.toMatchObject({ code: 'MILLRACE_PRODUCE_FAILED' });
    expect(calls).toBe(1);
  });
});
