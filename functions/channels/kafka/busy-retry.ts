import { setTimeout as pause } from 'node:timers/promises';
import { refusalOf } from './broker-refusal.ts';

/**
 * Refusals that end by themselves: nothing of the request was done. The markers of a transaction are written after its commit is
 * acknowledged, within milliseconds, and until then the next one can't begin. kafkajs would wait 300 ms.
 */
const BUSY: ReadonlySet<string> = new Set([
  'CONCURRENT_TRANSACTIONS',
  'UNSTABLE_OFFSET_COMMIT',
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_ENOUGH_REPLICAS',
]);

const FIRST_PAUSE_MS = 1;
const MAX_PAUSE_MS = 50;

export function isBusy(refusal: string | undefined): boolean {
  return refusal !== undefined && BUSY.has(refusal);
}

/**
 * Calls until the answer is not "busy", with pauses that grow and sum up to `patienceMs` at most; then with what it threw last.
 *
 * @param also - A refusal that ends by itself here, too.
 */
export async function retryWhileBusy<T>(patienceMs: number, call: () => Promise<T>, also?: string): Promise<T> {
  let waited = 0;
  for (let next = FIRST_PAUSE_MS; ; next = Math.min(next * 2, MAX_PAUSE_MS)) {
    try {
      return await call();
    } catch (error) {
      const refusal = refusalOf(error);
      if (!(isBusy(refusal) || (refusal !== undefined && refusal === also)) || waited >= patienceMs) throw error;
    }
    await pause(next);
    waited += next;
  }
}
