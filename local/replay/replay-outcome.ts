import type { DeadLetterView } from '../inspect/dead-letter.ts';
import { describeTable, printable } from '../inspect/text-table.ts';

/**
 * What became of a dead letter: `replayed`: it is on its way to its task, or has been run; `chosen`: it would be; `applied`: it has been
 * replayed before; `uncommitted`: its task has not committed yet that it is dead; `refused`: nobody can replay it; `failed`: it was run and
 * failed again.
 */
export type ReplayOutcome = 'replayed' | 'chosen' | 'applied' | 'uncommitted' | 'refused' | 'failed';

export interface ReplayResult {
  readonly letter: DeadLetterView;
  readonly outcome: ReplayOutcome;
  readonly why?: string | undefined;
}

const TEXTS: Readonly<Record<ReplayOutcome, string>> = {
  replayed: 'replayed',
  chosen: 'would be replayed',
  applied: 'replayed before',
  uncommitted: 'not committed as dead yet',
  refused: 'cannot be replayed',
  failed: 'failed again',
};
/** Characters of a reason in the table. */
const MAX_REASON = 160;

export function describeReplays(topic: string, results: readonly ReplayResult[]): string {
  if (results.length === 0) return `topic ${topic}: no dead letter is chosen\n`;
  const rows = results.map(({ letter, outcome, why = '' }) => [
    String(letter.offset),
    printable(letter.stage),
    printable(letter.code),
    `${TEXTS[outcome]}${why === '' ? '' : `: ${printable(why).replaceAll(/\s+/g, ' ').slice(0, MAX_REASON)}`}`,
  ]);
  const counts = (Object.keys(TEXTS) as ReplayOutcome[])
    .map((one) => [results.filter(({ outcome }) => outcome === one).length, TEXTS[one]] as const)
    .filter(([count]) => count > 0)
    .map(([count, text]) => `${count.toLocaleString('en-US')} ${text}`);
  return `${describeTable(['offset', 'stage', 'code', 'outcome'], rows)}topic ${topic}: ${counts.join(', ')}\n`;
}

/** One JSON line a dead letter. */
export function summarizeReplay({ letter, outcome, why }: ReplayResult): object {
  const { offset, stage, task, origin, kind, code } = letter;
  return { offset, stage, task, origin, kind, code, outcome, ...(why !== undefined && { why }) };
}
