import { FrameListWriter, idleFrame } from '../../functions/codec/frame-writer.ts';
import type { StagePlan } from '../../functions/graph/stage-plan.ts';
import type { EndEvent } from '../../functions/runtime/lambda.ts';
import type { Invocation } from './environments.ts';
import type { InputPartition } from './input.ts';
import type { Script } from './simulator.ts';
import { GENERATION, type World } from './world.ts';

const ROUNDS = 60;
/** A crashed clock starts again, so often at most. */
const MAX_STARTS = 4;
const IDLE_ROUNDS = 6;

/** Two clocks that end a bounded input. They remember nothing over a crash, and know nothing of each other. */
export function spawnClocks(world: World, check: () => Promise<readonly string[]>): void {
  for (const name of ['end clock 1', 'end clock 2']) start(world, name, 1, check);
}

function start(world: World, name: string, starts: number, check: () => Promise<readonly string[]>): void {
  world.simulator.spawn(`${name}.${starts}`, clock(world, name, starts, check));
}

function* clock(world: World, name: string, starts: number, check: () => Promise<readonly string[]>): Script {
  const acked = new Set<InputPartition>();
  const { simulator } = world;
  for (let round = 1; round < ROUNDS; round++) {
    simulator.delay(20 * round);
    yield;
    for (const partition of world.input) {
      if (acked.has(partition) || !isReadThrough(world, partition)) continue;
      if (starts < MAX_STARTS && simulator.fault(0.03, 'end clock', 'clock crash') !== undefined) {
        start(world, name, starts + 1, check);
        return;
      }
      const invocation = sendEnd(world, partition);
      if (!invocation) acked.add(partition);
      else yield () => invocation.done;
      if (invocation?.response && invocation.response.batchItemFailures.length === 0) acked.add(partition);
    }
    if (!isDone(world, acked.size === world.input.length)) continue;
    if (!world.doneFindings) {
      world.doneFindings = ['the check at the end has not come back'];
      void check().then((findings) => (world.doneFindings = findings));
    }
    return;
  }
}

/** Two clocks that declare partitions of the sources idle, each for itself. */
export function spawnIdleClocks(world: World): void {
  for (const name of ['idle clock 1', 'idle clock 2']) world.simulator.spawn(name, idleClock(world));
}

function* idleClock(world: World): Script {
  const { simulator } = world;
  for (let round = 0; round < IDLE_ROUNDS; round++) {
    yield;
    simulator.delay(30 + 30 * round);
    yield;
    for (const { topic, partition, messages, beyond } of world.input) {
      const log = world.log.partition(topic, partition);
      if (world.config.idle === 'drained' && log.length < messages.length + beyond.length) continue;
      const stage = stageOf(world, topic);
      const readable = world.inputOf(topic, partition)?.end === undefined ? log.length : messages.length;
      const isDrained = world.mappingOf(stage, partition).committedOf(partition) >= Math.min(readable, log.length);
      if (!isDrained && world.switches.idleWithLag !== true) continue;
      declareIdle(world, stage, { topic, partition }, (log.at(-1)?.offset ?? -1) + 1);
    }
  }
}

function declareIdle(
  world: World,
  stage: StagePlan,
  { topic, partition }: Pick<InputPartition, 'topic' | 'partition'>,
  offset: number,
): void {
  world.simulator.count('idle declared');
  const frame = idleFrame(`${stage.id}/${topic}-${partition}@${GENERATION}`, world.partitionsOf(stage), offset);
  const channels = new Map(stage.outputs.map((output) => [output.topic, output.partitions]));
  for (const [channel, partitions] of channels) for (let p = 0; p < partitions; p++) world.log.put(channel, p, { key: null, value: frame });
}

/** Nothing readable is left between the mapping's committed offset and the end. */
function isReadThrough(world: World, { topic, partition, messages }: InputPartition): boolean {
  if (world.switches.endEarly === true) return true;
  return world.mappingOf(stageOf(world, topic), partition).committedOf(partition) >= messages.length;
}

/** An ordinary invocation of the source stage, repeated until it succeeds. */
function sendEnd(world: World, { topic, partition, end }: InputPartition): Invocation | undefined {
  const stage = stageOf(world, topic);
  if (world.switches.endByFrame === true && stage.fenced) {
    sendEndFrames(world, stage, partition);
    return undefined;
  }
  return world.functionOf(stage).invoke(endEvent(topic, partition, end ?? 0, GENERATION), `end of ${topic}-${partition}`);
}

function endEvent(topic: string, partition: number, offset: number, generation: number): EndEvent {
  return { eventSource: 'millrace:end', generation, partitions: [{ topic, partition, offset }] };
}

/** What a clock must not do: go past a stage that has timers of its own. */
function sendEndFrames(world: World, stage: StagePlan, partition: number): void {
  for (const { topic, partitions } of stage.outputs) {
    for (let p = 0; p < partitions; p++) {
      const upstream = `${stage.id}/${world.topicOf(stage)}-${partition}@${GENERATION}`;
      const [frame] = new FrameListWriter({ upstream, upstreamTasks: world.partitionsOf(stage), maxBytes: 1000 }).finish(Infinity);
      if (frame) world.log.put(topic, p, { key: null, value: frame });
    }
  }
}

/** Every end invocation has succeeded, every fence stands at +∞, and every mapping has committed its fence's `next`. */
function isDone(world: World, allAcked: boolean): boolean {
  if (!allAcked) return false;
  return world.plan.stages
    .filter(({ fenced }) => fenced)
    .every((stage) => Array.from({ length: world.partitionsOf(stage) }, (_, p) => p).every((p) => isTaskDone(world, stage, p)));
}

function isTaskDone(world: World, stage: StagePlan, partition: number): boolean {
  const fence = world.state.fenceNow(world.fencePath(stage, partition));
  if (fence?.watermark !== Infinity) return false;
  const committed = world.mappingOf(stage, partition).committedOf(partition);
  const topic = world.topicOf(stage);
  const input = world.inputOf(topic, partition);
  if (input) return committed >= input.messages.length;
  return committed >= Math.min(fence.next, world.log.partition(topic, partition).length);
}

/** Clocks of an older deployment, which must be refused. */
export function spawnOldClocks(world: World): void {
  const { simulator } = world;
  for (const { topic, partition, end } of world.input) {
    simulator.spawn(
      `old clock ${topic}-${partition}`,
      (function* () {
        yield;
        simulator.delay(simulator.pick(60, 0.3));
        yield;
        if (simulator.fault(0.2, 'old clock', 'old end') === undefined) return;
        world.functionOf(stageOf(world, topic)).invoke(endEvent(topic, partition, end ?? 0, GENERATION - 1), 'old end');
      })(),
    );
  }
}

function stageOf(world: World, topic: string): StagePlan {
  const found = world.plan.stages.find(({ input }) => input.kind === 'source' && input.topics.includes(topic));
  if (!found) throw new Error(`nobody reads ${topic}`);
  return found;
}
