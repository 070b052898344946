import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect, jest, test } from '@jest/globals';
import { openFrame } from '../../functions/codec/frame-reader.ts';
import type { BatchMetrics } from '../../functions/runtime/metrics.ts';
import { createStageRuntime } from '../../functions/runtime/stage-handler.ts';
import type { WorldConfig } from './config.ts';
import { always, type CreateDirector } from './directors.ts';
import { type Outcome, runSchedule } from './schedule.ts';
import { readLetters } from './views.ts';

const FIXED: Partial<WorldConfig> = {
  faults: 0,
  determinismEvery: 0,
  mends: false,
  hiccups: false,
  slow: false,
  ticks: false,
  replay: false,
  idle: 'never',
};
const SEEDS = 30;

jest.setTimeout(1_200_000); // a busy machine is no fault

type Counter = 'recordsIn' | 'duplicates' | 'gaps' | 'deadLetters' | 'conflicts';

/** A run, and the counters of all its batches. */
async function runCounted(
  seed: number,
  fixed: Partial<WorldConfig>,
  director: CreateDirector,
): Promise<{ outcome: Outcome; sum: (counter: Counter) => number }> {
  const batches: BatchMetrics[] = [];
  const listen = (message: unknown): void => void batches.push(message as BatchMetrics);
  subscribe('millrace:stage:batch', listen);
  const outcome = await runSchedule({ createStageRuntime }, seed, { fixed: { ...FIXED, ...fixed }, director });
  unsubscribe('millrace:stage:batch', listen);
  expect(outcome.errors).toEqual([]);
  return { outcome, sum: (counter) => batches.reduce((total, batch) => total + batch[counter], 0) };
}

/** Everything that the mappings deliver once: records of frames, and messages of sources. */
function deliverable({ world }: Outcome): number {
  const frames = world.plan.channels.flatMap(({ topic }) => world.log.partitions(topic).flat());
  const records = frames.reduce((total, { value }) => total + openFrame(value ?? new Uint8Array()).count, 0);
  return world.input.reduce((total, { messages }) => total + messages.length, records);
}

test('I5: without faults every record is counted once, as applied; gaps and dead letters are counted', async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    // Two clocks that end an input beside one another make copies.
    const { outcome, sum } = await runCounted(seed, { bounded: false }, () => () => undefined);
    const { world } = outcome;
    if (world.config.journal) {
      // An environment sends what is pending again, unless it was the one that had sent it; so there are copies without faults, too.
      expect(sum('recordsIn')).toBeLessThanOrEqual(deliverable(outcome));
      expect(sum('recordsIn') + sum('duplicates')).toBeGreaterThanOrEqual(deliverable(outcome));
    } else {
      expect([seed, sum('recordsIn')]).toEqual([seed, deliverable(outcome)]);
      expect([seed, sum('duplicates')]).toEqual([seed, 0]);
    }
    // Environments that take turns shut out each other's producers.
    if (!world.config.exactlyOnce) expect([seed, sum('conflicts')]).toEqual([seed, 0]);
    expect(sum('deadLetters')).toBe(readLetters(world).length);
    const fences = world.plan.stages.flatMap((stage) =>
      stage.fenced ? Array.from({ length: world.partitionsOf(stage) }, (_, p) => world.state.fenceNow(world.fencePath(stage, p))) : [],
    );
    if (!world.config.bare) expect(sum('gaps')).toBe(fences.reduce((total, fence) => total + (fence?.gaps ?? 0), 0));
  }
});

test('I5: what is dropped because it was applied before is counted', async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const resets = always('mapping', 'offset reset', 6);
    const { outcome, sum } = await runCounted(seed, { poison: false, badInput: false, bounded: false }, resets);
    const wanted = outcome.world.input.reduce((total, { messages }) => total + messages.length, 0);
    expect(sum('duplicates') > 0 || sum('recordsIn') > wanted).toBe(true);
    expect(outcome.world.simulator.fired.get('offset reset')).toBeGreaterThan(0);
  }
});
