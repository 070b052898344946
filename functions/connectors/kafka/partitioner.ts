import { MillraceError } from '../../shared/errors.ts';
import type { OutputOrigin } from '../sink.ts';
import { murmur2 } from './murmur2.ts';

/**
 * Chooses a partition: a whole number from 0, taken modulo the number of partitions. Pure, as a batch that is run again must choose
 * the same.
 */
export type KafkaPartitioner<T> = (value: T, key: Uint8Array | null, origin: OutputOrigin) => number;

/**
 * `hash`: by the key, as Kafka's Java clients do (murmur2); without a key as `round-robin`. `round-robin`: one partition after the other,
 * by origin. `random`: without a pattern, by a hash of the origin. `{ fixed }`: always this one.
 */
export type KafkaPartitioning<T> = 'hash' | 'round-robin' | 'random' | { readonly fixed: number } | KafkaPartitioner<T>;

/** @throws MILLRACE_OPTION_INVALID */
export function toPartitioner<T>(partitioning: KafkaPartitioning<T>): KafkaPartitioner<T> {
  if (typeof partitioning === 'function') return checked(partitioning);
  if (partitioning === 'hash') return (_value, key, origin) => (key === null ? inTurn(origin) : murmur2(key) & 0x7fffffff);
  if (partitioning === 'round-robin') return (_value, _key, origin) => inTurn(origin);
  if (partitioning === 'random') return (_value, _key, origin) => scatter(origin);
  const fixed = (partitioning as { fixed?: unknown } | null)?.fixed;
  if (typeof fixed === 'number' && isSlot(fixed)) return () => fixed;
  throw new MillraceError(
    'MILLRACE_OPTION_INVALID',
    `partitioner is ${JSON.stringify(partitioning)}: give 'hash', 'round-robin', 'random', { fixed: 0 } with a whole number from 0, or a ` +
      'function (value, key, origin) => number',
  );
}

function checked<T>(partitioner: KafkaPartitioner<T>): KafkaPartitioner<T> {
  return (value, key, origin) => {
    const slot = partitioner(value, key, origin);
    if (isSlot(slot)) return slot;
    throw new MillraceError('MILLRACE_USER_FUNCTION', `a partitioner returned ${String(slot)}: return a whole number from 0`);
  };
}

function isSlot(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** By origin, never by a counter in memory: a replayed record goes to the same partition. */
function inTurn({ offset, ordinal, emission }: OutputOrigin): number {
  return offset + ordinal + emission;
}

/** Never `Math.random()`, for the same reason. Mixed as in murmur3's last step, so that neighbors part. */
function scatter({ offset, ordinal, emission }: OutputOrigin): number {
  let hash = Math.imul(offset ^ (offset / 0x100000000), 0x9e3779b1) ^ Math.imul(ordinal, 0x85ebca6b) ^ Math.imul(emission, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
