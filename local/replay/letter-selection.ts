import { wrongCall } from '../inspect/action.ts';
import type { DeadLetterView } from '../inspect/dead-letter.ts';

/** Which dead letters to replay. */
export interface LetterSelection {
  /** Ranges of offsets, both ends included; undefined for any offset. */
  readonly offsets?: readonly (readonly [first: number, last: number])[] | undefined;
  readonly stage?: string | undefined;
  readonly code?: string | undefined;
}

/** Reads `3,7-9`. @throws MILLRACE_FLAG_INVALID */
export function parseOffsets(text: string): [first: number, last: number][] {
  return text.split(',').map((part) => {
    const [, first = '', last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    const range: [number, number] = [Number(first), Number(last)];
    if (first !== '' && range.every(Number.isSafeInteger) && range[0] <= range[1]) return range;
    throw wrongCall(`OFFSETS is '${text}'; give offsets and ranges of them, for example 3,7-9`);
  });
}

/** Whether a dead letter, or the copy of one at `offset`, is chosen. */
export function isSelected({ offsets, stage, code }: LetterSelection, letter: DeadLetterView): boolean {
  if (stage !== undefined && letter.stage !== stage) return false;
  if (code !== undefined && letter.code !== code) return false;
  return offsets?.some(([first, last]) => first <= letter.offset && letter.offset <= last) ?? true;
}
