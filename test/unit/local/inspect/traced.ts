import { json, kafka, type Pipeline, pipeline, type Sink, valueState } from '../../../../functions/index.ts';
import { type Hop, traceLineage } from '../../../../local/inspect/lineage.ts';
import type { LogReader } from '../../../../local/inspect/log-reader.ts';
import { type Fault, ManualClock } from '../../../../local/testing.ts';
import { runWorld } from '../../../../local/testing/run-pipeline.ts';
import { TestWorld } from '../../../../local/testing/world.ts';

export interface Item {
  readonly id: string;
  readonly at: number;
}

/** `path`: the value in each hop, the source's id first. */
export interface Traced {
  readonly path: readonly string[];
  readonly key: string;
}

const grow = ({ path }: Traced, step: string, key: string): Traced => ({ path: [...path, `${path.at(-1) ?? ''}/${step}`], key });

/** None, one or two outputs of one record, under other keys. */
export function fan({ id }: Item): Traced[] {
  const outputs = Number(id.slice(1)) % 3;
  return Array.from({ length: outputs }, (_, i) => ({ path: [id, `${id}/${i}`], key: `k${(Number(id.slice(1)) + i) % 5}` }));
}

export const source = (...topics: string[]) => kafka.source({ topics, value: json<Item>() });
export const sink = <T>(options: Partial<Parameters<typeof kafka.sink<T>>[0]> = {}): Sink<T> =>
  kafka.sink<T>({ topic: 'out', value: json(), lineage: true, ...options });

/** Three stages: fans out, again with state, and keeps the newest. */
export const chain = (name: string, end: Partial<Parameters<typeof kafka.sink<Traced>>[0]>, isJournal = false): Pipeline =>
  pipeline(name, { parallelism: 3, frameBytes: 1024 }, (env) => {
    const seen = valueState('seen', { default: 0 });
    const fanned = env
      .fromSource(source('left', 'right'), { uid: 'in' })
      .flatMap(fan)
      .keyBy(({ key }) => key)
      .process({
        state: { seen },
        *processElement(record, ctx) {
          const count = ctx.state.seen.value() + 1;
          ctx.state.seen.update(count);
          for (let i = 0; i < count % 3; i++) yield grow(record, String(i), `${ctx.key}-${i}`);
        },
      })
      .uid('fan');
    const last = (isJournal ? fanned.journal() : fanned)
      .keyBy(({ key }) => key)
      .reduce((_, next) => next)
      .uid('last');
    (isJournal ? last.journal() : last).sinkTo(sink(end));
  });

export const input = {
  left: Array.from({ length: 60 }, (_, i) => ({ id: `l${i}`, at: 0 })),
  right: Array.from({ length: 41 }, (_, i) => ({ id: `r${i}`, at: 0 })),
};

export function readerOf({ log }: TestWorld): LogReader {
  return {
    read: () => Promise.reject(new Error('a walk asks for single messages')),
    find: async (topic, partition, offset) => {
      const messages = log.partitions(topic)[partition];
      const message = messages?.[offset];
      return {
        message: message && { headers: [], ...message, partition },
        range: messages && { partition, low: 0, high: messages.length },
      };
    },
  };
}

export async function walk(world: TestWorld, topic: string, partition: number, offset: number): Promise<Hop[]> {
  const hops: Hop[] = [];
  for await (const hop of traceLineage(world.plan, readerOf(world), { topic, partition, offset })) hops.push(hop);
  return hops;
}

/** The walks from every message of a topic. */
export async function walkAll(world: TestWorld, topic: string): Promise<Hop[][]> {
  const walks: Hop[][] = [];
  for (const [partition, messages] of world.log.partitions(topic).entries())
    for (const { offset } of messages) walks.push(await walk(world, topic, partition, offset));
  return walks;
}

export async function run(
  made: Pipeline,
  records: Readonly<Record<string, readonly unknown[]>>,
  faults: readonly Fault[] = [],
): Promise<TestWorld> {
  const options = { input: records, faults, batchSize: 7, clock: new ManualClock() };
  const world = new TestWorld(made, options);
  await runWorld(world, options);
  return world;
}

/** What a hop shows of the way: the last step of a record's path, or the id of a source's message. */
export function stepOf(hop: Hop | undefined): string | undefined {
  if (!hop || !('value' in hop)) return undefined;
  const { path, id } = (hop.value as { value: Partial<Traced> & Partial<Item> }).value;
  return path?.at(-1) ?? id;
}
