import { createStageRuntime } from '../../functions/runtime/stage-handler.ts';
import { buildRuntime, type Mutant, readMutated } from './mutation.ts';
import { type Outcome, runSchedule } from './schedule.ts';

export interface Catch {
  readonly seed: number;
  /** Schedules until it was found. */
  readonly schedules: number;
  readonly outcome: Outcome;
}

/** Looks for a schedule that fails under the mutant: first the seed that is known to, then one after the other. */
export async function hunt(mutant: Mutant, limit: number): Promise<Catch | undefined> {
  await readMutated(mutant.edits);
  const runtime = await buildRuntime(mutant.edits);
  const { switches = {} } = mutant;
  const fixed = {
    determinismEvery: 0,
    journal: false,
    exactlyOnce: false,
    bare: false,
    replay: false,
    idle: 'never' as const,
    ...mutant.world,
  }; // what the check of determinism finds says little about the rule
  for (let i = 0; i <= limit; i++) {
    const seed = i === 0 ? mutant.seed : i;
    const outcome = await runSchedule(runtime, seed, { fixed, switches });
    if (outcome.errors.length === 0) continue;
    // The world must be at fault in nothing: the runtime itself passes the same schedule.
    const { errors } = await runSchedule({ createStageRuntime }, seed, { fixed });
    if (errors.length > 0) throw new Error(`seed ${seed} fails without the mutant ${mutant.name} too: ${errors.join('\n')}`);
    return { seed, schedules: i + 1, outcome };
  }
  return undefined;
}
