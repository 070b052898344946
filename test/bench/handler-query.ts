/**
 * ns a record of a stage handler on one core, beside the floor, for the query that is named: one batch of 1,000 records a call, 15
 * interleaved rounds, medians. Run by handler.ts, bundled.
 */
import type { ChannelWriter, OutgoingMessage } from '../../functions/channels/channel-writer.ts';
import { json, kafka, pipeline, type DataStream, type Pipeline } from '../../functions/index.ts';
import { planPipeline } from '../../functions/graph/plan.ts';
import { createStageRuntime } from '../../functions/runtime/stage-handler.ts';
import type { StageHandler } from '../../functions/runtime/lambda.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import { MemoryStateBackend } from '../../functions/state/memory/memory-state-backend.ts';
import { type Bid, bidOf } from './bids.ts';
import { floors } from './floor.ts';
import { median, type Figure } from './figure.ts';

const RECORDS = 1000;
const ROUNDS = 15;
const CALLS = 40;

type Query = keyof typeof floors;

/** Keeps what was appended last, so that a stage's output can be the next one's input. */
class NullLog implements ChannelWriter {
  readonly appended: (readonly [topic: string, partition: number, messages: readonly OutgoingMessage[]])[] = [];
  keep = false;

  append(topic: string, partition: number, messages: readonly OutgoingMessage[]): Promise<void> {
    if (this.keep) this.appended.push([topic, partition, messages]);
    return Promise.resolve();
  }

  partitionCount(): Promise<number> {
    return Promise.resolve(1);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const sink = <T>() => kafka.sink<T>({ topic: 'out', value: json() });
const options = { parallelism: 1, batchSize: 10_000 };

/** One stage: topic in, topic out, one JSON message a record. */
function topicPipeline(query: Query): Pipeline {
  return pipeline('bench', options, (env) => {
    const bids = env.fromSource(kafka.source({ topic: 'bids', value: json<Bid>(), keyedByRecordKey: true }), { uid: 'bids' });
    if (query === 'passthrough') bids.sinkTo(sink());
    else if (query === 'filter') bids.filter((bid) => bid.auction % 10 === 0).sinkTo(sink());
    else
      bids
        .keyBy((bid) => bid.bidder)
        .count()
        .uid('count')
        .sinkTo(sink());
  });
}

/** The stage in the middle: frames in, frames out. */
function framePipeline(query: Query): Pipeline {
  return pipeline('bench', options, (env) => {
    const bids = env.fromSource(kafka.source({ topic: 'bids', value: json<Bid>() }), { uid: 'bids' }).keyBy((bid) => bid.bidder);
    const middle: DataStream<unknown> =
      query === 'passthrough'
        ? bids.map((bid) => bid).uid('middle')
        : query === 'filter'
          ? bids.filter((bid) => bid.auction % 10 === 0).uid('middle')
          : bids.count().uid('middle');
    middle
      .hop('kafka')
      .map((value) => value)
      .uid('last')
      .sinkTo(sink());
  });
}

interface Subject {
  readonly handler: StageHandler;
  /** Text of the event whose first offset is `offset`. */
  readonly body: (offset: number) => string;
  readonly offsetsACall: number;
}

function open(made: Pipeline, stage: string, log: ChannelWriter): StageHandler {
  const graph = made.build();
  const plan = planPipeline(graph, { namespace: 'bench', generation: 1 });
  return createStageRuntime(plan, stage, graph, {
    channels: log,
    state: new MemoryStateBackend(),
    clock: systemClock,
    print: () => undefined,
    log: () => undefined,
  });
}

function eventText(topic: string, values: readonly Uint8Array[], offset: number): string {
  const records = values.map((value, i) => ({
    topic,
    partition: 0,
    offset: offset + i,
    timestamp: 1_700_000_000_000 + offset + i,
    timestampType: 'LOG_APPEND_TIME',
    value: Buffer.from(value).toString('base64'),
    headers: [],
  }));
  return JSON.stringify({ eventSource: 'SelfManagedKafka', bootstrapServers: 'localhost:9092', records: { [`${topic}-0`]: records } });
}

const bidBytes = Array.from({ length: RECORDS }, (_, i) => Buffer.from(JSON.stringify(bidOf(i))));

function topicSubject(query: Query): Subject {
  return {
    handler: open(topicPipeline(query), 'bids', new NullLog()),
    body: (offset) => eventText('bids', bidBytes, offset),
    offsetsACall: RECORDS,
  };
}

/** Its input is what the source stage puts out; each call gets frames of a batch of its own, so that nothing is dropped as known. */
async function frameSubject(query: Query, calls: number): Promise<Subject> {
  const log = new NullLog();
  log.keep = true;
  const made = framePipeline(query);
  const source = open(made, 'bids', log);
  for (let call = 0; call < calls; call++) await source(JSON.parse(eventText('bids', bidBytes, call * RECORDS)));
  const frames = log.appended.map(([, , messages]) => messages[0]?.value ?? new Uint8Array());
  const [[topic] = ['']] = log.appended;
  return {
    handler: open(made, 'middle', new NullLog()),
    body: (offset) => eventText(topic, [frames[offset] ?? new Uint8Array()], offset),
    offsetsACall: 1,
  };
}

/** Median ns a record of each contestant, over interleaved rounds. */
async function measure(contestants: readonly ((round: number) => Promise<number>)[]): Promise<number[]> {
  const times = contestants.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round++) for (const [i, contestant] of contestants.entries()) times[i]?.push(await contestant(round));
  return times.map(median);
}

function floorRound(query: Query): (round: number) => Promise<number> {
  const body = eventText('bids', bidBytes, 0);
  return () => {
    const begun = process.hrtime.bigint();
    for (let call = 0; call < CALLS; call++) floors[query](body);
    return Promise.resolve(Number(process.hrtime.bigint() - begun) / (CALLS * RECORDS));
  };
}

function handlerRound({ handler, body, offsetsACall }: Subject): (round: number) => Promise<number> {
  return async (round) => {
    const bodies = Array.from({ length: CALLS }, (_, call) => body((round * CALLS + call) * offsetsACall));
    const begun = process.hrtime.bigint();
    for (const text of bodies) await handler(JSON.parse(text));
    return Number(process.hrtime.bigint() - begun) / (CALLS * RECORDS);
  };
}

async function queryFigures(query: Query): Promise<Figure[]> {
  const frames = await frameSubject(query, ROUNDS * CALLS);
  const [floor = 0, single = 0, framed = 0] = await measure([floorRound(query), handlerRound(topicSubject(query)), handlerRound(frames)]);
  const figure = (name: string, value: number, goal: number): Figure => ({
    ...{ name, value, unit: 'ns/record', floor, ratio: value / floor, goal },
    ok: value / floor <= goal,
  });
  return [figure(`handler ${query}, single records`, single, 1.3), figure(`handler ${query}, frames`, framed, 0.35)];
}

const [query = ''] = process.argv.slice(2);
if (!Object.hasOwn(floors, query)) throw new Error(`there is no query '${query}'; there are ${Object.keys(floors).join(', ')}`);
process.stdout.write(JSON.stringify(await queryFigures(query as Query)));
