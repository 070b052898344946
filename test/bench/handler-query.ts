/**
 * ns a record of a stage handler on one core, beside the floor, for the query that is named: one batch of 1,000 records a call, 15
 * interleaved rounds, medians. Run by handler.ts, bundled.
 */
import { json, kafka, pipeline, type DataStream, type Pipeline } from '../../functions/index.ts';
import type { StageHandler } from '../../functions/runtime/lambda.ts';
import { type Bid, bidOf } from './bids.ts';
import { eventText, measure, NullLog, openStage, ROUNDS } from './driven-handler.ts';
import { floors } from './floor.ts';
import type { Figure } from './figure.ts';

const RECORDS = 1000;
const CALLS = 40;

type Query = keyof typeof floors;

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

const bidBytes = Array.from({ length: RECORDS }, (_, i) => Buffer.from(JSON.stringify(bidOf(i))));

function topicSubject(query: Query): Subject {
  return {
    handler: openStage(topicPipeline(query), 'bids', new NullLog()),
    body: (offset) => eventText('bids', bidBytes, offset),
    offsetsACall: RECORDS,
  };
}

/** Its input is what the source stage puts out; each call gets frames of a batch of its own, so that nothing is dropped as known. */
async function frameSubject(query: Query, calls: number): Promise<Subject> {
  const log = new NullLog();
  log.keep = true;
  const made = framePipeline(query);
  const source = openStage(made, 'bids', log);
  for (let call = 0; call < calls; call++) await source(JSON.parse(eventText('bids', bidBytes, call * RECORDS)));
  const frames = log.appended.map(([, , messages]) => messages[0]?.value ?? new Uint8Array());
  const [[topic] = ['']] = log.appended;
  return {
    handler: openStage(made, 'middle', new NullLog()),
    body: (offset) => eventText(topic, [frames[offset] ?? new Uint8Array()], offset),
    offsetsACall: 1,
  };
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
