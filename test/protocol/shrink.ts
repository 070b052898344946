import type { RuntimeModule } from './runtime-module.ts';
import { type Outcome, runSchedule, type ScheduleOptions } from './schedule.ts';

const MAX_RUNS = 400;

/** Makes a failing schedule small: writes zeros over its decisions while it still fails. Returns the last failing run, with its trace. */
export async function shrink(runtime: RuntimeModule, failed: Outcome, options: ScheduleOptions = {}): Promise<Outcome> {
  const { seed } = failed.config;
  let runs = 0;
  const fails = async (tape: readonly number[]): Promise<boolean> => {
    if (++runs > MAX_RUNS) return false;
    return (await runSchedule(runtime, seed, { ...options, tape })).errors.length > 0;
  };
  let best = [...failed.world.simulator.tape];
  for (let size = best.length; size >= 1 && runs < MAX_RUNS; size = Math.floor(size / 2)) {
    for (let at = 0; at < best.length; at += size) {
      if (best.slice(at, at + size).every((decision) => decision === 0)) continue;
      const calmer = best.map((decision, i) => (i >= at && i < at + size ? 0 : decision));
      if (await fails(calmer)) best = calmer;
    }
  }
  return runSchedule(runtime, seed, { ...options, tape: best, trace: true });
}

/** Everything needed to see a failure again, and to understand it. */
export function describeOutcome({ config, errors, world: { simulator } }: Outcome): string {
  const choices = simulator.tape.filter((decision) => decision !== 0).length;
  return [
    `seed ${config.seed} fails: ${errors.slice(0, 8).join('\n  ')}`,
    `config ${JSON.stringify(config)}`,
    `smallest schedule: ${choices} choices; faults ${JSON.stringify(Object.fromEntries(simulator.fired))}`,
    ...simulator.trace.slice(-400),
  ].join('\n');
}
