import { describe, expect, test } from '@jest/globals';
import { createStageRuntime } from '../../functions/runtime/stage-handler.ts';
import type { WorldConfig } from './config.ts';
import { all, always, type CreateDirector } from './directors.ts';
import { runSchedule } from './schedule.ts';

/** Small worlds with everything in them that makes a port call of its own. */
const WORLDS: readonly Partial<WorldConfig>[] = [
  {
    topology: 'chain',
    partitions: 1,
    tasksB: 2,
    tasksC: 1,
    records: 4,
    chunkBytes: 100_000,
    maxDeltas: 2,
    poison: true,
    bounded: true,
    ticks: true,
  },
  { topology: 'direct', partitions: 1, tasksC: 1, records: 5, chunkBytes: 150, maxDeltas: 1, poison: false, bounded: true, badInput: true },
  {
    topology: 'fanin',
    partitions: 1,
    tasksB: 1,
    tasksC: 1,
    records: 4,
    chunkBytes: 100_000,
    maxDeltas: 3,
    bounded: false,
    badInput: true,
    slow: true,
    batch: 9,
  },
];
const COMMON: Partial<WorldConfig> = {
  ...{
    keys: 2,
    frameBytes: 60,
    minCompactionBytes: 100_000,
    stateFragments: 2,
    maxAttempts: 2,
    determinismEvery: 0,
    mends: false,
    rotating: true,
    logTime: true,
  },
  ...{
    late: false,
    poisonTimers: true,
    hiccups: false,
    journal: false,
    exactlyOnce: false,
    bare: false,
    rebalance: false,
    slow: false,
    grouped: false,
    partial: false,
    batch: 2,
  },
};
const SEED = 3;

interface Chance {
  readonly point: string;
  readonly names: readonly string[];
}

/** A paused call is a zombie only if somebody goes on without it. */
const impatient = always('mapping', 'function timeout', 12);
const nothing: CreateDirector = () => () => undefined;

/** Every chance that a run without the fault gives to it, in order. */
async function chancesOf(fixed: Partial<WorldConfig>, also: CreateDirector, extent: number): Promise<Chance[]> {
  const chances: Chance[] = [];
  const watch: CreateDirector = () => (point, names) => {
    chances.push({ point, names });
    return undefined;
  };
  const { errors } = await runSchedule({ createStageRuntime }, SEED, { fixed, director: all(watch, also), extent });
  expect(errors).toEqual([]);
  return chances;
}

function atChance(index: number, name: string): CreateDirector {
  return () => {
    let next = 0;
    return () => (next++ === index ? name : undefined);
  };
}

/** Runs the world once for each chance of a fault that `isMeant`; returns what went wrong. */
async function tryAll(
  fixed: Partial<WorldConfig>,
  isMeant: (name: string) => boolean,
  also: CreateDirector,
  extent: number,
): Promise<string[]> {
  const failed: string[] = [];
  const chances = await chancesOf(fixed, also, extent);
  for (const [index, { point, names }] of chances.entries()) {
    for (const name of names.filter(isMeant)) {
      const { errors, world } = await runSchedule({ createStageRuntime }, SEED, {
        fixed,
        director: all(atChance(index, name), also),
        extent,
      });
      if (errors.length > 0) failed.push(`${name} at chance ${index}, ${point}: ${errors[0] ?? ''}`);
      if (!world.simulator.fired.has(`${name} @ ${point}`)) failed.push(`${name} at chance ${index}, ${point} has not fired`);
    }
  }
  return failed;
}

describe('each fault at each port call, one at a time', () => {
  const cases = WORLDS.map((world) => [JSON.stringify(world), { ...COMMON, ...world }] as const);

  test.each(cases)(
    '%s',
    async (_, fixed) => {
      expect(await tryAll(fixed, (name) => name !== 'pause', nothing, 12)).toEqual([]);
    },
    1_200_000,
  );

  test.each(cases)(
    'a pause, with a mapping that does not wait: %s',
    async (_, fixed) => {
      expect(await tryAll(fixed, (name) => name === 'pause', impatient, 6)).toEqual([]);
    },
    1_200_000,
  );
});
