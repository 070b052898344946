import { describe, expect, test } from '@jest/globals';
import { BrokerRefusal } from '../../../../../functions/channels/kafka/broker-refusal.ts';
import { retryWhileBusy } from '../../../../../functions/channels/kafka/busy-retry.ts';

const CONCURRENT_TRANSACTIONS = 51;

/** Fails so many times, and counts the calls. */
function failing(times: number, error: Error) {
  const state = { calls: 0 };
  return { state, call: () => (++state.calls <= times ? Promise.reject(error) : Promise.resolve('done')) };
}

describe('retryWhileBusy', () => {
  test('calls again until the answer is not "busy"', async () => {
    const { call, state } = failing(3, new BrokerRefusal(CONCURRENT_TRANSACTIONS, 'p'));

    await expect(retryWhileBusy(1000, call)).resolves.toBe('done');
    expect(state.calls).toBe(4);
  });

  test('throws the last refusal when its patience is over', async () => {
    const { call, state } = failing(Infinity, new BrokerRefusal(CONCURRENT_TRANSACTIONS, 'p'));

    await expect(retryWhileBusy(7, call)).rejects.toMatchObject({ type: 'CONCURRENT_TRANSACTIONS' });
    expect(state.calls).toBe(4); // after pauses of 1, 2 and 4 ms
  });

  test.each([new BrokerRefusal(47, 'p'), new Error('the connection is gone')])('does not repeat after %s', async (error) => {
    const { call, state } = failing(1, error);

    await expect(retryWhileBusy(1000, call)).rejects.toBe(error);
    expect(state.calls).toBe(1);
  });
});
