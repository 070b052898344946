import { createConfig, type WorldConfig, type WorldSwitches } from './config.ts';
import { findErrors } from './oracle.ts';
import type { RuntimeModule } from './runtime-module.ts';
import type { CreateDirector } from './directors.ts';
import { Livelock } from './simulator.ts';
import { World } from './world.ts';

export interface ScheduleOptions {
  readonly fixed?: Partial<WorldConfig>;
  readonly switches?: WorldSwitches;
  readonly tape?: readonly number[];
  /** Decides the faults in place of chance; what else is random stays so. */
  readonly director?: CreateDirector;
  readonly extent?: number;
  readonly trace?: boolean;
}

export interface Outcome {
  readonly config: WorldConfig;
  readonly errors: readonly string[];
  readonly world: World;
}

/** One schedule: a world built from the seed, run to its end under faults, and judged. */
export async function runSchedule(runtime: RuntimeModule, seed: number, options: ScheduleOptions = {}): Promise<Outcome> {
  const config = createConfig(seed, options.fixed);
  const { tape, extent, trace, switches } = options;
  const director = options.director?.(() => world);
  const world: World = new World(config, runtime, { tape, director, extent, trace }, switches);
  try {
    await world.run(() => findErrors(world, true));
  } catch (error) {
    if (!(error instanceof Livelock)) throw error;
    const unexpected = [...world.functions.values()].flatMap((one) => one.unexpected.slice(0, 1));
    return { config, world, errors: [`LIVELOCK: ${error.message}`, ...unexpected] };
  }
  const atDone = config.bounded ? (world.doneFindings ?? ['never DONE']).map((finding) => `at DONE: ${finding}`) : [];
  return { config, world, errors: [...atDone, ...(await findErrors(world))] };
}
