import { ERROR_MUTANTS } from './mutants-errors.ts';
import { FENCE_MUTANTS } from './mutants-fence.ts';
import { JOURNAL_MUTANTS } from './mutants-journal.ts';
import { STREAM_MUTANTS } from './mutants-stream.ts';
import { TRANSACTION_MUTANTS } from './mutants-transactions.ts';
import type { Mutant } from './mutation.ts';

export const MUTANTS: readonly Mutant[] = [
  ...FENCE_MUTANTS,
  ...JOURNAL_MUTANTS,
  ...TRANSACTION_MUTANTS,
  ...STREAM_MUTANTS,
  ...ERROR_MUTANTS,
];
