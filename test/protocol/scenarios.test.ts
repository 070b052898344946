import { describe, expect, jest, test } from '@jest/globals';
import { tickFrame } from '../../functions/codec/frame-writer.ts';
import type { StagePlan } from '../../functions/graph/stage-plan.ts';
import { createStageRuntime } from '../../functions/runtime/stage-handler.ts';
import type { WorldConfig } from './config.ts';
import { all, always, at, type CreateDirector, when } from './directors.ts';
import { findErrors } from './oracle.ts';
import { type Outcome, runSchedule } from './schedule.ts';
import { describeOutcome, shrink } from './shrink.ts';
import { Livelock } from './simulator.ts';
import { World } from './world.ts';

/** A small world without any of the specials: a scenario adds its own. */
const PLAIN: Partial<WorldConfig> = {
  topology: 'chain',
  ...{
    partitions: 1,
    tasksB: 2,
    tasksC: 2,
    records: 8,
    keys: 3,
    faults: 0,
    frameBytes: 160,
    chunkBytes: 400,
    maxDeltas: 3,
    maxAttempts: 2,
    determinismEvery: 0,
  },
  ...{
    late: false,
    poison: false,
    poisonTimers: false,
    hiccups: false,
    badInput: false,
    journal: false,
    exactlyOnce: false,
    bare: false,
    ticks: false,
    rebalance: false,
    bounded: false,
    replay: false,
    idle: 'never',
  },
  ...{ partial: false, logTime: true, slow: false, grouped: false, batch: 4 },
};
const SEEDS = 12;

/** Runs the scenario in several worlds: its faults are directed, batch cuts and order are random. Returns what has fired, in all. */
async function play(fixed: Partial<WorldConfig>, director: CreateDirector, extent = 0): Promise<ReadonlyMap<string, number>> {
  const fired = new Map<string, number>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const options = { fixed: { ...PLAIN, ...fixed }, director, extent };
    const outcome = await runSchedule({ createStageRuntime }, seed, options);
    if (outcome.errors.length > 0) throw new Error(describeOutcome(await shrink({ createStageRuntime }, outcome, options)));
    for (const [name, count] of outcome.world.simulator.fired) fired.set(name, (fired.get(name) ?? 0) + count);
  }
  return fired;
}

/** Plays the scenario with the fault at the 1st, 2nd … chance; each must have fired. */
async function playEach(
  fixed: Partial<WorldConfig>,
  point: string,
  name: string,
  chances: number,
  also?: CreateDirector,
  extent = 0,
): Promise<void> {
  for (let nth = 1; nth <= chances; nth++) {
    const fault = at(point, nth, name);
    const fired = await play(fixed, also ? all(fault, also) : fault, extent);
    expect([nth, fired.has(`${name} @ ${point}`)]).toEqual([nth, true]);
  }
}

const impatient = always('mapping', 'function timeout', 20);

function lengths(world: World, uid: string): number[] {
  return world.log.partitions(world.topicOf(world.stageWith(uid))).map(({ length }) => length);
}

function source({ plan }: World): StagePlan {
  const found = plan.stages.find(({ input }) => input.kind === 'source');
  if (!found) throw new Error('no source');
  return found;
}

jest.setTimeout(1_200_000);

describe('scenarios of protocol.md, section 8', () => {
  test('1: published to one partition, crash before the other, another cut', async () => {
    const isBetween = (world: World): boolean => lengths(world, 'b').reduce((a, b) => a + b, 0) % 2 === 1;
    const source = await play({}, when('S3 frame', 'crash', isBetween, 3));
    const fenced = await play(
      {},
      when('A6 frame', 'crash', (world) => lengths(world, 'c').reduce((a, b) => a + b, 0) % 2 === 1, 3),
    );

    expect(source.get('crash @ S3 frame')).toBeGreaterThan(SEEDS);
    expect(fenced.get('crash @ A6 frame')).toBeGreaterThan(SEEDS);
  });

  test('2: one record to several partitions, several outputs to one, timers of one record', async () => {
    await playEach({ frameBytes: 40, keys: 1, bounded: true, ticks: true }, 'A6 frame', 'crash', 12);
  });

  test('3: of two frames for one partition the first fails: the second is not sent', async () => {
    const sent: number[] = [];
    const watch: CreateDirector = (world) => {
      let before: number | undefined;
      let isOver = false;
      const length = (): number => lengths(world(), 'b')[0] ?? 0;
      return (point, names) => {
        if (point === 'S3 frame' && names.includes('produce lost') && before === undefined) {
          before = length();
          return 'produce lost';
        }
        // The failure has come back once the source is invoked again.
        if (point === 'mapping' && before !== undefined && !isOver && world().functionOf(source(world())).invocations > 1) {
          sent.push(length() - before);
          isOver = true;
        }
        return undefined;
      };
    };
    const fired = await play({ frameBytes: 40, tasksB: 1, slow: true, batch: 8 }, watch);

    expect(fired.get('produce lost @ S3 frame')).toBe(SEEDS);
    expect(new Set(sent)).toEqual(new Set([0]));
  });

  test('4: fence read from a follower far behind: at `next`, and above it', async () => {
    const old = all(always('A1 fence', 'old read'), at('A1 fence', 8, 'new session'), at('A1 fence', 20, 'new session'));
    for (const topology of ['chain', 'direct'] as const) {
      const fired = await play({ topology, rotating: true, maxDeltas: 2 }, old, 13);
      expect(fired.get('old read @ A1 fence')).toBeGreaterThan(SEEDS);
    }
    // Above `next` only a write can tell: also where that is lost.
    for (const fault of ['crash', 'write lost', 'write applied, unknown']) {
      const fired = await play({ rotating: true, records: 12 }, all(old, always('A4 check', fault, 3)), 13);
      expect(fired.get(`${fault} @ A4 check`)).toBeGreaterThan(0);
    }
  });

  test('5: two environments make the first commit of a task', async () => {
    const twice = always('mapping', 'duplicate invocation', 6);
    for (const topology of ['chain', 'direct'] as const) {
      const fired = await play({ topology, rotating: true }, twice);
      expect(fired.get('duplicate invocation')).toBeGreaterThan(SEEDS);
      for (const fault of ['write lost', 'write applied, unknown', 'write applied later']) {
        const lost = await play({ topology, rotating: true }, all(twice, always('A1 create fence', fault, 2)), 10);
        expect(lost.get(`${fault} @ A1 create fence`)).toBeGreaterThan(0);
      }
    }
  });

  test('6: chunks of two cuts of the same batch; a sweep beside a commit', async () => {
    const twice = always('mapping', 'duplicate invocation', 10);
    const fixed = { chunkBytes: 60, maxDeltas: 1, rotating: true, tasksB: 1 };
    await playEach(fixed, 'A7 chunk', 'crash', 6, twice);
    await playEach(fixed, 'A7 chunk', 'write applied, unknown', 3, twice);
    for (const point of ['A8 list', 'A8 sweep', 'A8 swap']) await playEach(fixed, point, 'pause', 4, all(twice, impatient), 8);
  });

  test('7: images and deltas are deleted under a reader', async () => {
    const slow = all(always('A2 delta', 'pause', 4), always('A2 image', 'pause', 4), always('A2 chunk', 'pause', 4), impatient);
    const fired = await play({ maxDeltas: 2, chunkBytes: 200, rotating: true, records: 12 }, all(slow, always('A1 fence', 'old read')), 8);

    expect(fired.get('deleted under a reader')).toBeGreaterThan(0);
  });

  test('8: a zombie wakes up beside the next invocation of its environment', async () => {
    for (const point of ['A1 fence', 'A2 delta', 'A6 frame', 'A6 sink', 'A7 commit', 'A8 image', 'A8 swap', 'S3 frame']) {
      await playEach({ maxDeltas: 2, chunkBytes: 100_000, records: 12 }, point, 'pause', 5, impatient, 6);
    }
  });

  test('9: late records, whatever the cut: cold and warm generator, retries after failures', async () => {
    const late = { late: true, records: 12 };
    await playEach(late, 'S3 frame', 'crash', 8);
    await playEach(late, 'S3 frame', 'produce lost', 6);
    await playEach({ ...late, topology: 'direct' }, 'A7 commit', 'crash', 6);
  });

  test('10: fan-in of two stages, each by two edges', async () => {
    for (const fault of ['produce lost', 'produce unacknowledged', 'produce late']) {
      await playEach({ topology: 'fanin', partitions: 2, frameBytes: 40, tasksB: 1 }, 'S3 frame', fault, 6, undefined, 10);
    }
  });

  test('12: a journal stage crashes before it publishes, and only duplicates come afterwards', async () => {
    const journal = { journal: true, tasksB: 1, chunkBytes: 60 };
    for (const fault of ['crash', 'produce lost', 'produce unacknowledged', 'produce late']) {
      await playEach(journal, 'A6 frame', fault, 4, undefined, 10);
    }
    await playEach({ ...journal, rotating: true }, 'A3 pending', 'crash', 2, at('A6 frame', 2, 'crash'));
    await playEach(journal, 'A7 journal chunk', 'write applied, unknown', 3);
    await playEach({ ...journal, topology: 'direct' }, 'A6 frame', 'pause', 4, impatient, 6);
  });

  test.each([
    ['a stage with a fence', { tasksC: 1 }],
    ['a stage that journals', { tasksC: 1, journal: true }],
    ['a source stage without a fence', { bare: true }],
  ])(
    '13: exactly-once sink of %s: outcomes unknown, zombie producers, two environments in turn',
    async (_, stage) => {
      const fixed = { ...stage, exactlyOnce: true, rotating: true };
      const commits = ['transaction lost', 'transaction unacknowledged', 'transaction late', 'markers late', 'offsets late', 'crash'];
      for (const fault of commits) await playEach(fixed, 'A6 transaction commit', fault, 3, undefined, 10);
      for (const fault of ['transaction send lost', 'transaction send unacknowledged', 'transaction send late', 'crash']) {
        await playEach(fixed, 'A6 transaction send', fault, 2, undefined, 20);
      }
      for (const point of ['A0 init', 'A0 offset', 'A6 transaction send', 'A6 transaction commit']) {
        await playEach(fixed, point, 'pause', 2, impatient, 6);
      }
    },
    1_200_000,
  );

  test('13: a mapping that begins again behind records leaves a gap that is told', async () => {
    const fired = await play(
      { bare: true, exactlyOnce: true, records: 12 },
      all(at('A6 transaction commit', 2, 'transaction lost'), at('mapping', 1, 'starts at latest')),
    );

    expect(fired.get('starts at latest')).toBeGreaterThan(0);
  });

  test('14: an error that comes and goes contradicts nothing where outputs are journaled', async () => {
    const flaky = { journal: true, poison: true, mends: true, records: 12 };
    const old = all(always('A1 fence', 'old read'), at('A1 fence', 6, 'new session'));
    await playEach(flaky, 'A7 commit', 'crash', 5, old, 13);
    await playEach(flaky, 'A7 commit', 'pause', 5, all(old, impatient), 13);
    await playEach(flaky, 'A6 dead letter', 'crash', 1, old, 13);
  });

  test('14: poison records: a verdict, a crash on either side of it, and a mended function', async () => {
    for (const mends of [true, false]) {
      const fixed = { poison: true, mends, records: 12 };
      await playEach(fixed, 'A7 commit', 'crash', 8);
      await playEach(fixed, 'A6 dead letter', 'crash', 2);
      await playEach(fixed, 'A7 commit', 'write applied, unknown', 3);
      await playEach({ ...fixed, badInput: true, topology: 'direct' }, 'A6 dead letter', 'produce lost', 2);
    }
  });

  test('14: dead letters are replayed by two at once, and again, with crashes on the way there and back', async () => {
    const fixed = { poison: true, badInput: true, replay: true, records: 12 };
    for (const fault of ['crash', 'produce lost', 'produce unacknowledged', 'produce late']) {
      await playEach(fixed, 'R1 frame', fault, 3, undefined, 10);
    }
    await playEach(fixed, 'A7 commit', 'crash', 8);
    for (const stage of [{ journal: true }, { exactlyOnce: true }, { topology: 'direct' } as const]) {
      await playEach({ ...fixed, ...stage }, 'A7 commit', 'crash', 3);
      await playEach({ ...fixed, ...stage }, 'A7 commit', 'write applied, unknown', 2);
    }
  });

  test('16: gaps of a source are counted', async () => {
    await playEach({ topology: 'direct', records: 12, keys: 1 }, 'A4 gap', 'crash', 2);
    await playEach({ topology: 'direct', records: 12, keys: 1 }, 'A4 gap', 'write applied, unknown', 1);
  });

  test.each([
    ['before a batch', [2]],
    ['inside of a batch', [0, 2]],
  ])('16: a gap in a channel is an error: %s', async (_, gaps) => {
    const world = new World({ ...(await calm({ batch: 4, slow: true })).config }, { createStageRuntime }, { tape: [] });
    await world.run(() => findErrors(world));
    const b = world.stageWith('b');
    const topic = world.topicOf(b);
    const { length } = world.log.partition(topic, 0);
    let offset = length;
    for (const gap of gaps) world.log.put(topic, 0, { key: null, value: tickFrame('clock', 0) }, (offset += gap));
    await world.simulator.run().catch((error: unknown) => {
      if (!(error instanceof Livelock)) throw error; // it fails for ever
    });

    expect(world.functionOf(b).unexpected[0]).toContain('messages in between are gone');
    expect(world.state.fenceNow(world.fencePath(b, 0))?.next).toBe(length);
  });

  test('17: an upstream that lags is not idle, whatever clocks there are', async () => {
    // What has all been applied is idle, and nothing is late; so it must not be while the mapping lags.
    const slowSource = always('S3 frame', 'produce lost', 6);
    for (const fixed of [{ partitions: 2 }, { topology: 'fanin' }, { partitions: 2, bounded: true }] as const) {
      const fired = await play({ ...fixed, idle: 'drained', records: 12, batch: 1 }, slowSource);
      expect(fired.get('idle declared')).toBeGreaterThan(SEEDS);
      expect(fired.get('produce lost @ S3 frame')).toBeGreaterThan(SEEDS);
      await playEach({ ...fixed, idle: 'drained' }, 'A7 commit', 'crash', 3);
      await playEach({ ...fixed, idle: 'anytime' }, 'A7 commit', 'crash', 3);
    }
  });

  test('20: a batch that takes longer than the function has gets on, in parts', async () => {
    const fired = await play({ slow: true, topology: 'direct', records: 60, batch: 60 }, () => () => undefined);
    const checked = await play({ slow: true, topology: 'direct', records: 60, batch: 60, determinismEvery: 1 }, () => () => undefined);

    expect(fired.get('out of time')).toBeGreaterThan(0);
    expect(checked.get('out of time')).toBeGreaterThan(0);
  });

  test('20: a record larger than the topic allows is a dead letter', async () => {
    await play({ huge: true, records: 5 }, () => () => undefined);
  });

  test.each([true, false])('21: one partition of an event fails; partial responses: %s', async (partial) => {
    const fixed = { partial, grouped: true, partitions: 2, records: 12 };
    await playEach(fixed, 'S3 frame', 'produce lost', 6);
    await playEach(fixed, 'A6 frame', 'produce unacknowledged', 4);
    const fired = await play(fixed, at('A6 frame', 2, 'produce lost'));

    expect((fired.get('partial response') ?? 0) > 0).toBe(partial);
  });

  test('22: a bounded input ends while frames are in flight, with restarts in between', async () => {
    const clocks = all(at('end clock', 1, 'clock crash'), at('end clock', 3, 'clock crash'), always('old clock', 'old end'));
    for (const topology of ['chain', 'fanin', 'direct'] as const) {
      const fixed = { topology, bounded: true, ticks: true };
      await playEach(fixed, 'A7 commit', 'crash', 5, clocks);
      await playEach(fixed, 'A6 frame', 'produce late', 3, clocks, 20);
    }
  });
});

function calm(fixed: Partial<WorldConfig>): Promise<Outcome> {
  return runSchedule({ createStageRuntime }, 1, { fixed: { ...PLAIN, ...fixed }, tape: [] });
}
