import { expect, test } from '@jest/globals';
import { createStageRuntime } from '../../functions/runtime/stage-handler.ts';
import { compareWithCalm } from './reference.ts';
import { runSchedule } from './schedule.ts';
import { describeOutcome, shrink } from './shrink.ts';

const SUITES = 4;
const TOTAL = Number(process.env['MILLRACE_SCHEDULES'] ?? 6000);
const FIRST_SEED = Number(process.env['MILLRACE_SEED'] ?? 1);
const BLOCKS = 5;
/** From this number of schedules on, every fault must have fired. */
const ENOUGH = 1000;
/** Each has to fire this often in one suite; a crash or pause at each await, at least once. */
const LEAST = 5;

const FAULTS = [
  ...['crash', 'pause', 'new session', 'old read', 'write lost', 'write applied, unknown', 'write applied later'],
  ...['produce lost', 'produce unacknowledged', 'produce late', 'metadata lost'],
  ...['transaction send lost', 'transaction send unacknowledged', 'transaction send late'],
  ...['transaction lost', 'transaction unacknowledged', 'transaction late', 'markers late', 'offsets late', 'starts at latest'],
  ...[
    'duplicate invocation',
    'function timeout',
    'offset reset',
    'partial response',
    'clock crash',
    'old end',
    'out of time',
    'deleted under a reader',
  ],
];
/** Rare ones have scenarios of their own: crashes at `A4 check`, which need an old read of just one fence before, and at `R1 frame`. */
const AWAITS = [
  ...['A0 init', 'A0 offset', 'A6 transaction send', 'A6 transaction commit'],
  ...['A1 fence', 'A1 create fence', 'A2 delta', 'A2 chunk', 'A2 image', 'A3 pending', 'A4 gap'],
  ...[
    'A6 frame',
    'A6 dead letter',
    'A6 sink',
    'A6 partition count',
    'A7 chunk',
    'A7 journal chunk',
    'A7 commit',
    'A8 image',
    'A8 swap',
    'A8 list',
    'A8 sweep',
  ],
  ...['S3 frame', 'S3 dead letter', 'S3 partition count'],
];

/** One of several suites, so that workers share the schedules: its own seeds, and its own proof that faults fire. */
export function describeSchedules(suite: number): void {
  const count = Math.ceil(TOTAL / SUITES);
  const from = FIRST_SEED + suite * count;
  const fired = new Map<string, number>();
  const size = Math.ceil(count / BLOCKS);
  for (let block = 0; block < BLOCKS; block++) {
    const first = from + block * size;
    const last = Math.min(first + size, from + count) - 1;
    test(`schedules ${first} to ${last}`, async () => {
      for (let seed = first; seed <= last; seed++) addCounts(fired, await check(seed));
    }, 1_200_000);
  }
  const title = 'every fault has fired, and a crash at every await';
  if (count < ENOUGH) test.skip(`${title} (only from ${ENOUGH} schedules on)`, () => undefined);
  else
    test(title, () => {
      expect(FAULTS.filter((name) => (fired.get(name) ?? 0) < LEAST)).toEqual([]);
      expect(AWAITS.filter((name) => !fired.has(`crash @ ${name}`) && !fired.has(`pause @ ${name}`))).toEqual([]);
    });
}

async function check(seed: number): Promise<ReadonlyMap<string, number>> {
  const outcome = await runSchedule({ createStageRuntime }, seed);
  if (outcome.errors.length > 0) throw new Error(describeOutcome(await shrink({ createStageRuntime }, outcome)));
  const differences = await compareWithCalm({ createStageRuntime }, outcome);
  if (differences.length > 0) throw new Error(`seed ${seed}: not the results of the same world without faults\n${differences.join('\n')}`);
  return outcome.world.simulator.fired;
}

function addCounts(to: Map<string, number>, from: ReadonlyMap<string, number>): void {
  for (const [name, count] of from) to.set(name, (to.get(name) ?? 0) + count);
}
