/**
 * Refuses a promise where a user function has to be synchronous: its record would be a promise, and a filter would let everything through.
 * An `async` function in TypeScript compiles in each of these places.
 */
export function synchronous<T>(what: string, result: T): T {
  if (typeof result === 'object' && result !== null && typeof (result as { then?: unknown }).then === 'function')
    throw new TypeError(`${what} returned a promise; functions of a pipeline are synchronous and do no I/O`);
  return result;
}
