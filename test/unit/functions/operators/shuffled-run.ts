import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Pipeline } from '../../../../functions/index.ts';
import type { StagePlan } from '../../../../functions/graph/stage-plan.ts';
import type { EndEvent } from '../../../../functions/runtime/lambda.ts';
import type { BatchMetrics } from '../../../../functions/runtime/metrics.ts';
import { kafkaEvent } from '../../../../local/testing/kafka-event.ts';
import type { LoggedMessage } from '../../../../local/testing/memory-log.ts';
import { TestWorld } from '../../../../local/testing/world.ts';

export interface ShuffledOptions {
  /** Partitions of the topics that are read. */
  readonly partitions?: number;
  /** Most messages of a batch. */
  readonly maxBatch?: number;
  readonly seed: number;
}

export interface ShuffledRun {
  /** Values by topic. */
  readonly sinks: Readonly<Record<string, readonly unknown[]>>;
  readonly lateRecords: number;
  /** Codes. */
  readonly errors: readonly string[];
}

/** A partition of a stage's input, and how far it has been read. */
interface Place {
  readonly stage: StagePlan;
  readonly topic: string;
  readonly partition: number;
  committed: number;
}

/**
 * Runs a pipeline in an order of its own for each seed: batches of any length, of any partition of any stage that has input, some delivered
 * twice or cut anew, with environments that end in between. Every batch is run twice and compared, too.
 */
export async function runShuffled(
  pipeline: Pipeline,
  input: Readonly<Record<string, readonly unknown[]>>,
  { partitions = 3, maxBatch = 7, seed }: ShuffledOptions,
): Promise<ShuffledRun> {
  const world = new TestWorld(pipeline, { partitions });
  const draw = random(seed);
  for (const [topic, values] of Object.entries(input))
    for (const value of values) await world.log.append(topic, draw(partitions), [{ key: null, value: Buffer.from(JSON.stringify(value)) }]);
  let lateRecords = 0;
  const count = (message: unknown): void => {
    lateRecords += (message as BatchMetrics).lateRecords;
  };
  subscribe('millrace:stage:batch', count);
  try {
    await drain(world, draw, maxBatch);
  } finally {
    unsubscribe('millrace:stage:batch', count);
  }
  const { sinks, deadLetters } = world.outputs();
  const values = Object.entries(sinks).map(([topic, messages]) => [topic, messages.map(({ value }) => value)] as const);
  return { sinks: Object.fromEntries(values), lateRecords, errors: deadLetters.map(({ code }) => code) };
}

async function drain(world: TestWorld, draw: (below: number) => number, maxBatch: number): Promise<void> {
  const places: Place[] = world.plan.stages.flatMap((stage) =>
    (stage.input.kind === 'source' ? stage.input.topics : [stage.input.topic]).flatMap((topic) =>
      world.log.partitions(topic).map((_, partition) => ({ stage, topic, partition, committed: 0 })),
    ),
  );
  const open = new Set(world.plan.stages.filter(({ input }) => input.kind === 'source'));
  for (;;) {
    const pending = places.filter((place) => place.committed < logOf(world, place).length);
    const ending = [...open].filter((stage) => !pending.some((place) => place.stage === stage));
    const chosen = draw(pending.length + ending.length);
    const place = pending[chosen];
    const stage = ending[chosen - pending.length];
    if (draw(12) === 0) world.dropEnvironment(world.plan.stages[draw(world.plan.stages.length)]!.id);
    if (place) {
      // Now and then from before what is committed: copies, in another cut.
      const { stage, topic, partition, committed } = place;
      const from = draw(5) === 0 ? draw(committed + 1) : committed;
      const records = logOf(world, place)
        .slice(from, from + 1 + draw(maxBatch))
        .map(({ value, offset, timestamp }) => ({ value, offset, timestamp }));
      await world.handler(stage.id)(kafkaEvent({ topic, partition, records }));
      place.committed = Math.max(committed, from + records.length);
    } else if (stage) {
      await world.handler(stage.id)(endOf(world, stage, places));
      open.delete(stage);
    } else return;
  }
}

function logOf(world: TestWorld, { topic, partition }: Place): readonly LoggedMessage[] {
  return world.log.partitions(topic)[partition] ?? [];
}

function endOf({ plan }: TestWorld, stage: StagePlan, places: readonly Place[]): EndEvent {
  const partitions = places
    .filter((place) => place.stage === stage)
    .map(({ topic, partition, committed }) => ({ topic, partition, offset: committed }));
  return { eventSource: 'millrace:end', generation: plan.generation, partitions };
}

/** Whole numbers below a bound, the same for each seed (mulberry32). */
function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
