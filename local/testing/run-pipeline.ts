import type { Pipeline } from '../../functions/api/pipeline.ts';
import type { OutgoingMessage } from '../../functions/channels/channel-writer.ts';
import type { KafkaRecord } from '../../functions/connectors/kafka/source.ts';
import type { Source } from '../../functions/connectors/source.ts';
import { batchingOf } from '../../functions/graph/batching.ts';
import type { StagePlan } from '../../functions/graph/stage-plan.ts';
import type { EndEvent, KafkaEvent } from '../../functions/runtime/lambda.ts';
import { isMillraceError, MillraceError } from '../../functions/shared/errors.ts';
import { EnvironmentDied } from './faults.ts';
import type { LoggedMessage } from './memory-log.ts';
import type { StageOutputs } from './stage-run.ts';
import { type TestOptions, TestWorld } from './world.ts';

export interface PipelineTestOptions extends TestOptions {
  /**
   * Records of topics that the pipeline reads, by topic, encoded with the source's codec and spread over the partitions in turn; a
   * `Uint8Array` goes as it is. For a source with a `key`, `{ key, value, headers }`. A source with a `pattern` reads the topics that are named
   * here and match. Sources that are no topics are read as they are, unless they are named here by uid.
   */
  readonly input?: Readonly<Record<string, readonly unknown[]>>;
  /** End the input, so that watermarks reach +∞ and all timers fire. @default true */
  readonly end?: boolean;
  /** Most records of one batch. @default the plan's of each stage */
  readonly batchSize?: number;
}

/** What a whole pipeline put out. */
export interface PipelineRun extends StageOutputs {
  /** Invocations by stage, those that failed included. */
  readonly invocations: Readonly<Record<string, number>>;
}

/** Invocations of one batch in a row that may fail before the test does. */
const MAX_TRIES = 10;

/**
 * Runs a whole pipeline in this process, stage by stage through real events, until all input is drained: the same handlers, frames,
 * fences and dead letters as deployed, without bundles, threads or sockets.
 *
 * @throws what a handler throws again and again.
 * @throws MILLRACE_OPTION_INVALID one of `faults` is unknown or has not fired, or `input` has what the pipeline does not read.
 * @throws MILLRACE_RECORD_FAILED a stage gives the same batch back again and again.
 * @example const { sinks } = await runPipeline(pipeline, { input: { orders: [{ id: 1 }] }, faults: [{ crash: 'after-publish', nth: 2 }] });
 */
export async function runPipeline(pipeline: Pipeline, options: PipelineTestOptions = {}): Promise<PipelineRun> {
  return runWorld(new TestWorld(pipeline, options, Object.keys(options.input ?? {})), options);
}

/** The same in a world that the caller has made, and may look into afterwards. */
export async function runWorld(world: TestWorld, options: PipelineTestOptions): Promise<PipelineRun> {
  await feed(world, options.input ?? {});
  const driver = new Driver(world, options.batchSize);
  await driver.drain();
  if (options.end ?? true) await driver.end();
  world.faults.checkAllFired();
  return { ...world.outputs(), invocations: driver.invocations };
}

async function feed(world: TestWorld, input: Readonly<Record<string, readonly unknown[]>>): Promise<void> {
  const unused = new Set(Object.keys(input));
  const known = new Set<string>();
  for (const stage of world.plan.stages) {
    if (stage.input.kind !== 'source') continue;
    const node = world.graph.nodes[stage.input.node];
    if (node?.kind !== 'source') continue;
    const source = node.source as Source<unknown>;
    const names = [stage.input.uid, ...stage.input.topics];
    // A feed's topic is Millrace's own.
    for (const name of source.kind === 'feed' ? [stage.input.uid] : stage.input.topics) known.add(name);
    const given = names.flatMap((name) => (unused.delete(name) ? [[name, input[name] ?? []] as const] : []));
    if (given.length === 0 && source.kind === 'feed')
      for await (const chunk of source.read())
        await spread(
          world,
          stage.input.topics[0] ?? '',
          chunk.map((value) => ({ key: null, value })),
        );
    for (const [name, values] of given) {
      const topic = stage.input.topics.includes(name) ? name : (stage.input.topics[0] ?? '');
      await spread(
        world,
        topic,
        values.map((value) => toMessage(source, value)),
      );
    }
  }
  if (unused.size === 0) return;
  const given = [...unused].join("', '");
  throw new MillraceError(
    'MILLRACE_OPTION_INVALID',
    `input for '${given}', which the pipeline does not read; it reads: ${[...known].join(', ') || 'none'}`,
  );
}

/** What a source with a key codec is given is a record with key and value; any other is given values. */
function toMessage(source: Source<unknown>, given: unknown): OutgoingMessage {
  if (source.kind === 'feed' || source.key === undefined) return { key: null, value: encode(source, given) };
  const { key, value, headers = [] } = given as Partial<KafkaRecord<unknown, unknown>>;
  return { key: key === null || key === undefined ? null : source.key.encode(key), value: encode(source, value), headers };
}

function encode(source: Pick<Source<unknown>, 'value'>, value: unknown): Uint8Array {
  return value instanceof Uint8Array ? value : source.value.encode(value);
}

/** Record k goes to partition k mod N, as a feeder does. */
async function spread(world: TestWorld, topic: string, messages: readonly OutgoingMessage[]): Promise<void> {
  const partitions = world.log.partitions(topic);
  let next = partitions.reduce((sum, { length }) => sum + length, 0);
  for (const message of messages) await world.log.append(topic, next++ % partitions.length, [message]);
}

class Driver {
  readonly invocations: Record<string, number> = {};
  private readonly world: TestWorld;
  private readonly batchSize: number | undefined;
  private readonly committed = new Map<string, number>();

  constructor(world: TestWorld, batchSize: number | undefined) {
    this.world = world;
    this.batchSize = batchSize;
  }

  /** Until no stage has input left. Stages come in topological order, so one round is nearly always enough. */
  async drain(): Promise<void> {
    for (let busy = true; busy;) {
      busy = false;
      for (const stage of this.world.plan.stages) for (const topic of topicsOf(stage)) busy = (await this.drainTopic(stage, topic)) || busy;
    }
  }

  async end(): Promise<void> {
    const { plan, log } = this.world;
    for (const stage of plan.stages) {
      if (stage.input.kind !== 'source') continue;
      const partitions = topicsOf(stage).flatMap((topic) =>
        log.partitions(topic).map(({ length }, partition) => ({ topic, partition, offset: length })),
      );
      const event: EndEvent = { eventSource: 'millrace:end', generation: plan.generation, partitions };
      await this.deliver(stage.id, event);
    }
    await this.drain();
  }

  private async drainTopic(stage: StagePlan, topic: string): Promise<boolean> {
    let busy = false;
    const { batchSize } = this.batchSize === undefined ? batchingOf(this.world.plan, stage) : { batchSize: this.batchSize };
    for (const [partition, messages] of this.world.log.partitions(topic).entries()) {
      const place = `${stage.id} ${topic}-${partition}`;
      for (let from = this.committed.get(place) ?? 0; from < messages.length; from = this.committed.get(place) ?? 0) {
        const batch = messages.slice(from, from + batchSize);
        await this.deliverBatch(stage.id, topic, partition, batch);
        this.committed.set(place, from + batch.length);
        busy = true;
      }
    }
    return busy;
  }

  private async deliverBatch(stage: string, topic: string, partition: number, batch: readonly LoggedMessage[]): Promise<void> {
    const event = (messages: readonly LoggedMessage[]): KafkaEvent => eventOf(topic, partition, messages);
    const fault = this.world.faults.take('batch', (one) => 'batch' in one);
    if (fault && 'batch' in fault) {
      const half = Math.ceil(batch.length / 2);
      const extra = fault.batch === 'duplicate' ? [batch] : [batch.slice(0, half), batch.slice(half)];
      for (const messages of extra) if (messages.length > 0) await this.deliver(stage, event(messages));
    }
    await this.deliver(stage, event(batch));
  }

  /** As a mapping does: again and again, until it succeeds. */
  private async deliver(stage: string, event: KafkaEvent | EndEvent): Promise<void> {
    for (let tries = 1; ; tries++) {
      this.invocations[stage] = (this.invocations[stage] ?? 0) + 1;
      try {
        const { batchItemFailures } = await this.world.handler(stage)(event);
        if (batchItemFailures.length === 0) return;
      } catch (error) {
        if (error instanceof EnvironmentDied) this.world.dropEnvironment(stage);
        else if (tries >= MAX_TRIES || isMillraceError(error, 'MILLRACE_NOT_DETERMINISTIC')) throw error;
      }
      if (tries >= MAX_TRIES)
        throw new MillraceError(
          'MILLRACE_RECORD_FAILED',
          `stage '${stage}' failed ${tries} times in a row; look for a record that fails under onError: 'fail', and for more faults than that`,
        );
    }
  }
}

function topicsOf({ input }: StagePlan): readonly string[] {
  return input.kind === 'source' ? input.topics : [input.topic];
}

function eventOf(topic: string, partition: number, messages: readonly LoggedMessage[]): KafkaEvent {
  const base64 = (bytes: Uint8Array | null): string | null => bytes && Buffer.from(bytes).toString('base64');
  const records = messages.map(({ offset, timestamp, key, value, headers = [] }) => ({
    topic,
    partition,
    offset,
    timestamp,
    timestampType: 'LOG_APPEND_TIME',
    ...(key && { key: base64(key) }),
    value: base64(value),
    headers: headers.map(([name, bytes]) => ({ [name]: [...bytes] })),
  }));
  return { eventSource: 'SelfManagedKafka', bootstrapServers: 'localhost:9092', records: { [`${topic}-${partition}`]: records } };
}
