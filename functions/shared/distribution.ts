import { crc32c, crc32cOfText, murmur3_32, murmur3_32OfText } from './hash.ts';
import { isBytes, type Key, keyText } from './key.ts';

/**
 * Who works on a key, and where its state lies: pure functions, the same in every release, because tasks, state images and users' own
 * producers rely on them. P = `maxParallelism`, N = tasks, F = `stateFragments`.
 */

/** Key group: murmur3_32(key) mod P. */
export function keyGroupOf(key: Key, maxParallelism: number): number {
  return (isBytes(key) ? murmur3_32(key) : murmur3_32OfText(keyText(key))) % maxParallelism;
}

/** Task: murmur3_32(key) mod P mod N. */
export function taskOf(key: Key, maxParallelism: number, tasks: number): number {
  return keyGroupOf(key, maxParallelism) % tasks;
}

/** Fragment of a task's state image: crc32c(key) mod P mod F. */
export function fragmentOf(key: Key, maxParallelism: number, fragments: number): number {
  return ((isBytes(key) ? crc32c(key) : crc32cOfText(keyText(key))) % maxParallelism) % fragments;
}
