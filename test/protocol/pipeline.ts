import { type DataStream } from '../../functions/api/data-stream.ts';
import { type Environment } from '../../functions/api/environment.ts';
import { outputTag } from '../../functions/api/output-tag.ts';
import { type Pipeline, pipeline } from '../../functions/api/pipeline.ts';
import type { KeyedProcessFunction, OnTimerContext } from '../../functions/api/process-function.ts';
import { listState, mapState, valueState } from '../../functions/api/state-descriptors.ts';
import { Types } from '../../functions/api/types.ts';
import { WatermarkStrategy } from '../../functions/api/watermark-strategy.ts';
import type { Codec } from '../../functions/codec/codec.ts';
import { json } from '../../functions/codec/json.ts';
import { kafkaSink } from '../../functions/connectors/kafka/sink.ts';
import { kafkaSource } from '../../functions/connectors/kafka/source.ts';
import type { WorldConfig } from './config.ts';

/** A record of a source topic. */
export interface InputRecord {
  readonly id: string;
  readonly key: string;
  readonly time: number;
  /** Puts out a second record, over the second edge. */
  readonly two: boolean;
  /** What stage A puts out is too large for a topic. */
  readonly huge?: boolean;
  /** Lifts the watermark to the end of an unbounded input. */
  readonly last?: boolean;
}

/** A record between stages: its id says how it came about. */
export interface Item {
  readonly id: string;
  readonly key: string;
  readonly payload?: string;
}

/** What an operator has put out: id, key and event time. */
export type Emitted = readonly [id: string, key: string, time: number | null];

/** What happens to records outside of the pipeline's own logic. */
export interface Failures {
  /** Whether a record throws in B now. */
  readonly isPoison: (id: string) => boolean;
  readonly isPoisonTimer: (key: string, time: number) => boolean;
  /** Whether the first attempt at a record throws; asked once an attempt. */
  readonly hiccup: (stage: string, id: string) => boolean;
  /** Whether messages can be decoded that could not be before. */
  readonly isRepaired: () => boolean;
  /** Differs from call to call where the stage journals, so that no attempt puts out what another did. */
  readonly salt: (stage: string) => string;
}

export const BOUND_MS = 3;
export const INTERVAL_MS = 5;
export const END_TIME = 1e9;
export const WINDOWS = { b: 10, c: 20 } as const;
export const SINK_TOPIC = 'results';
/** More than Kafka takes by default. */
const HUGE_BYTES = 1_100_000;
/** A processing-time timer's delay. */
const TICK_DELAY_MS = 3;
/** Above it, the watermark stands at the end. */
const END_WATERMARK = 9e8;

const extraTag = outputTag('extra', Types.json<Item>());

export function hash(text: string): number {
  let h = 2_166_136_261;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16_777_619);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  return (h ^ (h >>> 13)) >>> 0;
}

export function windowOf(time: number, width: number): number {
  return (Math.floor(time / width) + 1) * width - 1;
}

export function windowId(stage: string, key: string, end: number, ids: readonly string[]): string {
  return `${stage}w(${key},${end})=${hash([...ids].sort().join()).toString(36)}/${ids.length}`;
}

/** Key of what an id is put out under. */
function nextKey(id: string): string {
  return `q${hash(id) % 4}`;
}

/** A keyed operator that remembers all it sees and puts out: a counter, a tumbling window, and a timer in processing time. */
function keyedOperator(
  stage: 'b' | 'c',
  ticks: boolean,
  failures: Failures,
): KeyedProcessFunction<Item, string, ReturnType<typeof states>, Item> {
  return {
    state: states(),
    *processElement(item, ctx) {
      const { history, count, windows, late, emitted, armed, afterEnd } = ctx.state;
      const { timestamp, timerService } = ctx;
      history.add([item.id, timestamp ?? null]);
      count.update(count.value() + 1);
      // Open windows in the order of the map state: a replay must see the same one.
      const id = `${stage}r(${hash(item.id).toString(36)})#${ctx.key}.${count.value()}/${windows.keys().join('-')}${failures.salt(stage)}`;
      const emit = (name: string): Item => {
        emitted.add([name, nextKey(name), timestamp ?? null]);
        return { id: name, key: nextKey(name) };
      };
      yield emit(id);
      if (hash(item.id) % 3 === 0) ctx.output(extraTag, emit(`${id}x`));
      if (timestamp !== undefined) {
        const end = windowOf(timestamp, WINDOWS[stage]);
        if (end <= timerService.currentWatermark()) late.add(item.id);
        else {
          windows.put(end, [...(windows.get(end) ?? []), item.id]);
          timerService.registerEventTimeTimer(end);
        }
      }
      if (timerService.currentWatermark() > END_WATERMARK) afterEnd.add(item.id);
      if (ticks && !armed.value() && Number.isFinite(timerService.currentProcessingTime())) {
        armed.update(true);
        timerService.registerProcessingTimeTimer(timerService.currentProcessingTime() + TICK_DELAY_MS);
      }
      if (failures.hiccup(stage, item.id)) throw new Error(`hiccup ${item.id}`);
      if (stage === 'b' && failures.isPoison(item.id)) throw new Error(`poison ${item.id}`);
    },
    *onTimer(time, ctx) {
      yield* ctx.timeDomain === 'processing' ? fireTick(stage, time, ctx) : fireWindow(stage, time, ctx);
      if (failures.hiccup(stage, `timer ${ctx.key} ${time}`)) throw new Error('hiccup');
      if (failures.isPoisonTimer(`${stage} ${ctx.key}`, time)) throw new Error(`poison timer ${ctx.key}`);
    },
  };
}

function states() {
  return {
    history: listState('history', Types.json<readonly [string, number | null]>()),
    count: valueState('count', { default: 0 }),
    windows: mapState('windows', Types.number, Types.list(Types.string)),
    late: listState('late', Types.string),
    emitted: listState('emitted', Types.json<Emitted>()),
    armed: valueState('armed', { default: false }),
    afterEnd: listState('after-end', Types.string),
  };
}

type TimerContext = OnTimerContext<string, ReturnType<typeof states>>;

function* fireTick(stage: string, time: number, ctx: TimerContext): Generator<Item> {
  ctx.state.armed.clear();
  const id = `${stage}p(${ctx.key},${ctx.state.count.value()})@${time}`;
  ctx.state.emitted.add([id, nextKey(id), null]);
  yield { id, key: nextKey(id) };
}

function* fireWindow(stage: string, end: number, ctx: TimerContext): Generator<Item> {
  const ids = ctx.state.windows.get(end) ?? [];
  ctx.state.windows.remove(end);
  const id = windowId(stage, ctx.key, end, ids);
  ctx.state.emitted.add([id, nextKey(id), end]);
  yield { id, key: nextKey(id) };
}

/** What stage A makes of a record, over its two edges. */
export function itemsOf(record: InputRecord): readonly Item[] {
  const main = { id: record.id, key: record.key };
  return record.two ? [main, { id: `${record.id}+`, key: secondKey(record) }] : [main];
}

/** Half of the second records stay with the key, and stand right behind the first one. */
function secondKey({ id, key }: InputRecord): string {
  return hash(id) % 2 === 0 ? key : `k${hash(id) % 3}`;
}

export function createPipeline(config: WorldConfig, failures: Failures): Pipeline {
  const { topology, tasksB, tasksC, rebalance, stateFragments, maxAttempts, partial } = config;
  const options = { maxParallelism: 16, stateFragments, maxAttempts, partialBatchResponse: partial, watermarkIntervalMs: INTERVAL_MS };
  return pipeline('w', options, (env) => {
    const direct = topology === 'direct';
    const sources = (topology === 'fanin' ? ['a', 'z'] : ['a']).map((name) => source(env, name, direct, failures));
    const sink = kafkaSink<Item>({
      ...{ topic: SINK_TOPIC, value: json<Item>(), key: ({ key }: Item) => key },
      delivery: config.exactlyOnce ? 'exactly-once' : 'at-least-once',
    });
    if (config.bare) {
      for (const stream of sources) stream.map(toMain).sinkTo(sink);
      return;
    }
    const [first, ...others] = direct ? sources.map((stream) => stream.map(toMain)) : sources.flatMap(twoEdges);
    if (!first) throw new Error('no source');
    let merged: DataStream<Item> = others.length > 0 ? first.union(...others) : first;
    if (rebalance)
      merged = merged
        .hop('kafka')
        .map((item) => item)
        .uid('r')
        .setParallelism(2);
    const keyed = merged
      .keyBy(({ key }) => key)
      .process(keyedOperator('b', config.ticks, failures))
      .uid('b');
    if (config.journal) keyed.journal();
    const b = direct ? keyed : keyed.setParallelism(tasksB);
    const c = b
      .union(b.getSideOutput(extraTag))
      .keyBy(({ key }) => key)
      .process(keyedOperator('c', false, failures))
      .uid('c')
      .setParallelism(tasksC);
    if (config.journal && config.exactlyOnce) c.journal();
    c.union(c.getSideOutput(extraTag)).sinkTo(sink);
  });
}

function source(env: Environment, name: string, keyedByRecordKey: boolean, failures: Failures): DataStream<InputRecord> {
  return env
    .fromSource(kafkaSource({ topic: sourceTopic(name), value: inputCodec(failures), keyedByRecordKey }), {
      uid: keyedByRecordKey ? 'src' : name,
    })
    .assignTimestampsAndWatermarks(
      WatermarkStrategy.forBoundedOutOfOrderness(BOUND_MS).withTimestampAssigner(({ time }: InputRecord) => time),
    )
    .filter(({ last }) => last !== true);
}

/** Once it is repaired it can read what it could not before. */
function inputCodec({ isRepaired }: Failures): Codec<InputRecord> {
  const codec = json<InputRecord>();
  const decode = (bytes: Uint8Array): InputRecord => codec.decode(isRepaired() && bytes[0] === BAD ? bytes.subarray('bad '.length) : bytes);
  return { ...codec, decode };
}

const BAD = 'b'.charCodeAt(0);

export function sourceTopic(name: string): string {
  return `in-${name}`;
}

/** One stage, two edges into the same channel. */
function twoEdges(stream: DataStream<InputRecord>): DataStream<Item>[] {
  return [stream.map(toMain), stream.filter(({ two }) => two).map(toSecond)];
}

function toMain({ id, key, huge }: InputRecord): Item {
  return huge === true ? { id, key, payload: 'x'.repeat(HUGE_BYTES) } : { id, key };
}

function toSecond(record: InputRecord): Item {
  return { id: `${record.id}+`, key: secondKey(record) };
}
