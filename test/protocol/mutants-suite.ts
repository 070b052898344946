import { expect, test } from '@jest/globals';
import { hunt } from './hunt.ts';
import { MUTANTS } from './mutants.ts';

const SUITES = 2;
/** Schedules that a mutant may survive. The seed that is known to find it comes first. */
const LIMIT = Number(process.env['MILLRACE_MUTANT_SCHEDULES'] ?? 3000);

/** A part of the mutants: each must fail, or the schedules prove nothing about its rule. */
export function describeMutants(suite: number): void {
  const own = MUTANTS.filter((_, i) => i % SUITES === suite);
  test.each(own.map((mutant) => [mutant.name, mutant.rule, mutant] as const))(
    '%s is found: %s',
    async (_name, _rule, mutant) => {
      const found = await hunt(mutant, LIMIT);
      expect(found?.outcome.errors.length ?? 0).toBeGreaterThan(0);
    },
    1_200_000,
  );
}
