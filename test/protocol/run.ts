import { createStageRuntime } from '../../functions/runtime/stage-handler.ts';
import type { WorldConfig } from './config.ts';
import { hunt } from './hunt.ts';
import { MUTANTS } from './mutants.ts';
import { runSchedule } from './schedule.ts';

/**
 * Long runs, outside of jest. MILLRACE_WORLD fixes parts of the configuration as JSON, MILLRACE_TRACE=1 prints what happens.
 *
 *     run.ts [schedules] [seed]              random schedules
 *     run.ts --mutants [limit] [name,name]   how soon each mutant is found
 */
async function runSchedules(count: number, from: number): Promise<boolean> {
  const fixed = JSON.parse(process.env['MILLRACE_WORLD'] ?? '{}') as Partial<WorldConfig>;
  const started = performance.now();
  const fired = new Map<string, number>();
  let failures = 0;
  for (let seed = from; seed < from + count && failures < 5; seed++) {
    const { errors, config, world } = await runSchedule({ createStageRuntime }, seed, {
      fixed,
      trace: process.env['MILLRACE_TRACE'] !== undefined,
    });
    for (const [name, times] of world.simulator.fired) fired.set(name, (fired.get(name) ?? 0) + times);
    if (world.simulator.trace.length > 0) console.log(world.simulator.trace.join('\n'));
    if (errors.length === 0) continue;
    failures++;
    console.log(`seed ${seed} ${JSON.stringify(config)}\n  ${errors.slice(0, 6).join('\n  ')}`);
  }
  const seconds = (performance.now() - started) / 1000;
  console.log(Object.fromEntries([...fired].sort()));
  console.log(`${count} schedules from ${from}: ${failures} failed, ${seconds.toFixed(1)} s, ${(count / seconds).toFixed(0)}/s`);
  return failures === 0;
}

async function huntMutants(limit: number, names: readonly string[]): Promise<boolean> {
  let survivors = 0;
  for (const mutant of MUTANTS) {
    if (names.length > 0 && !names.includes(mutant.name)) continue;
    const found = await hunt(mutant, limit);
    if (!found) survivors++;
    const how = found
      ? `seed ${found.seed} after ${found.schedules}: ${found.outcome.errors[0]?.split('\n')[0]?.slice(0, 150) ?? ''}`
      : 'SURVIVED';
    console.log(`${mutant.name.padEnd(22)} ${how}`);
  }
  return survivors === 0;
}

const [first = '1000', second, third] = process.argv.slice(2);
const ok =
  first === '--mutants'
    ? await huntMutants(Number(second ?? 1000), third?.split(',') ?? [])
    : await runSchedules(Number(first), Number(second ?? 1));
process.exitCode = ok ? 0 : 1;
