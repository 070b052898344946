/**
 * Longest pause in which a connection is trusted, in ms. A function's environment is frozen between invocations; meanwhile brokers and
 * what lies between close what is idle, and a request on such a connection would be waited for until its timeout.
 */
export const TRUSTED_IDLE_MS = 60_000;
