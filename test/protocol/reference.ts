import type { RuntimeModule } from './runtime-module.ts';
import { type Outcome, runSchedule } from './schedule.ts';
import { readLetters, readStage } from './views.ts';
import type { World } from './world.ts';

/** Of how many comparable schedules one is compared; each costs a second run. */
const ONE_OF = 3;

/** I6: cuts, restarts and environments never change results. Where order cannot matter, a run without faults ends in the same state. */
export async function compareWithCalm(runtime: RuntimeModule, { config, world }: Outcome): Promise<string[]> {
  const stages = comparableStages(world);
  if (stages.length === 0 || config.seed % ONE_OF !== 0) return [];
  const calm = await runSchedule(runtime, config.seed, { fixed: { ...config, faults: 0 }, tape: [] });
  const [found, wanted] = [await digest(world, stages), await digest(calm.world, stages)];
  return [
    ...calm.errors,
    ...wanted.filter((line) => !found.includes(line)),
    ...found.filter((line) => !wanted.includes(line)).map((line) => `instead: ${line}`),
  ];
}

interface Comparable {
  readonly uid: 'b' | 'c';
  /** False where only the records are the same, not the order in which they and timers come. */
  readonly inOrder: boolean;
}

/**
 * Stages whose tasks have one upstream task each, and where nothing depends on when things happen. Behind a chain of two stages order is
 * not the same: watermark steps without a record between them may become one, and timers that fire together leave together.
 */
function comparableStages({ config }: World): Comparable[] {
  const { topology, partitions, journal, bare, rebalance, mends, ticks, hiccups, determinismEvery, tasksB, replay, idle } = config;
  const b = { uid: 'b', inOrder: true } as const;
  if (idle === 'anytime') return []; // what is late depends on when it was declared
  if (replay || bare || journal || mends || ticks || rebalance || (hiccups && determinismEvery === 0)) return [];
  if (topology === 'direct') return partitions === 1 ? [b, { uid: 'c', inOrder: true }] : [b];
  if (topology === 'fanin' || partitions > 1) return [];
  return tasksB === 1 ? [b, { uid: 'c', inOrder: false }] : [b];
}

async function digest(world: World, stages: readonly Comparable[]): Promise<string[]> {
  const lines: string[] = [];
  for (const { uid, inOrder } of stages) {
    const stage = world.stageWith(uid);
    const view = await readStage(world, stage, uid);
    lines.push(
      ...view.keys.map((key) => JSON.stringify(inOrder ? key : key.history.map(({ id }) => id).sort())),
      `dead ${view.dead.toSorted().join()}`,
    );
    const letters = readLetters(world).filter((letter) => letter.stage === stage.id && letter.kind !== 'timer');
    lines.push(
      `letters ${letters
        .map(({ origin }) => origin)
        .sort()
        .join()}`,
    );
  }
  return lines;
}
