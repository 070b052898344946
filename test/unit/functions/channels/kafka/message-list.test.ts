import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { OutgoingMessage } from '../../../../../functions/channels/channel-writer.ts';
import { cutMessages } from '../../../../../functions/channels/kafka/message-list.ts';

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
