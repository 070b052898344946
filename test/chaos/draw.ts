import { murmur3_32OfText } from '../../functions/shared/hash.ts';

/** A number in [0, 1) that depends on the seed and on what it is drawn for, never on when. */
export function draw(seed: number, ...purpose: readonly (string | number)[]): number {
  return murmur3_32OfText(purpose.join('|'), seed) / 2 ** 32;
}
