/** Figures of windows in a stage handler, for the query that is named; batches of 1,000 records. Run by windows.ts, bundled. */
import {
  type DataStream,
  EventTimeSessionWindows,
  json,
  kafka,
  type KeyedStream,
  pipeline,
  type Pipeline,
  SlidingEventTimeWindows,
  TumblingEventTimeWindows,
  WatermarkStrategy,
} from '../../functions/index.ts';
import type { StageHandler } from '../../functions/runtime/lambda.ts';
import { MemoryStateBackend } from '../../functions/state/memory/memory-state-backend.ts';
import { readTask } from '../../local/inspect/state-reader.ts';
import { type Bid, bidOf } from './bids.ts';
import { eventText, measure, NullLog, openStage, planOf, ROUNDS } from './driven-handler.ts';
import type { Figure } from './figure.ts';
import { sessionsByHand, tumblingByHand } from './window-floor.ts';

const RECORDS = 1000;
/** A million bids over all rounds. */
const CALLS = Math.ceil(1_000_000 / RECORDS / ROUNDS);
const OUT_OF_ORDER_MS = 2000;

type Build = (bids: KeyedStream<Bid, number>) => DataStream<unknown>;

const builds = {
  tumbling: (bids) => bids.window(TumblingEventTimeWindows.of('10 seconds')).count(),
  sliding: (bids) => bids.window(SlidingEventTimeWindows.of('60 seconds', '1 second')).count(),
  sessions: (bids) => bids.window(EventTimeSessionWindows.withGap('1 hour')).count(),
  state: (bids) => bids.window(TumblingEventTimeWindows.of(100)).count(),
} satisfies Record<string, Build>;

type Query = keyof typeof builds;

/** A bid a ms, up to 2 s out of order. */
function bidAt(i: number): Bid {
  const bid = bidOf(i);
  return { ...bid, dateTime: bid.dateTime - ((i * 7919) % OUT_OF_ORDER_MS) };
}

function windowed(query: Query, isFramed: boolean): Pipeline {
  const keyOf = query === 'sessions' ? ({ bidder }: Bid) => bidder : ({ auction }: Bid) => auction;
  return pipeline('bench', { parallelism: 1, batchSize: 10_000 }, (env) => {
    const bids = env
      .fromSource(kafka.source({ topic: 'bids', value: json<Bid>(), keyedByRecordKey: !isFramed }), { uid: 'bids' })
      .assignTimestampsAndWatermarks(
        WatermarkStrategy.forBoundedOutOfOrderness(OUT_OF_ORDER_MS).withTimestampAssigner(({ dateTime }: Bid) => dateTime),
      )
      .keyBy(keyOf);
    builds[query](bids)
      .uid('w')
      .sinkTo(kafka.sink({ topic: 'out', value: json() }));
  });
}

const bytesOf = (bids: readonly Bid[]): Buffer[] => bids.map((bid) => Buffer.from(JSON.stringify(bid)));

function batch(call: number, make: (i: number) => Bid): Buffer[] {
  return bytesOf(Array.from({ length: RECORDS }, (_, i) => make(call * RECORDS + i)));
}

/** ns a record of the calls of a round, whose event texts are made before. */
function round(bodyOf: (call: number) => string, run: (body: string) => unknown): (round: number) => Promise<number> {
  return async (number) => {
    const bodies = Array.from({ length: CALLS }, (_, i) => bodyOf(number * CALLS + i));
    const begun = process.hrtime.bigint();
    for (const body of bodies) await run(body);
    return Number(process.hrtime.bigint() - begun) / (CALLS * RECORDS);
  };
}

const handle = (handler: StageHandler) => (body: string) => handler(JSON.parse(body));
const singles = (make: (i: number) => Bid) => (call: number) => eventText('bids', batch(call, make), call * RECORDS);

/** The window stage behind a hop, and the frames that the source stage sends it. */
async function framed(query: Query): Promise<{ readonly handler: StageHandler; readonly bodyOf: (call: number) => string }> {
  const log = new NullLog();
  log.keep = true;
  const made = windowed(query, true);
  const source = openStage(made, 'bids', log);
  for (let call = 0; call < ROUNDS * CALLS; call++) await handle(source)(singles(bidAt)(call));
  const frames = log.appended.map(([, , messages]) => messages.map(({ value }) => value ?? new Uint8Array()));
  const [[topic] = ['']] = log.appended;
  let offset = 0;
  const offsets = frames.map((list) => (offset += list.length) - list.length);
  return { handler: openStage(made, 'w', new NullLog()), bodyOf: (call) => eventText(topic, frames[call] ?? [], offsets[call] ?? 0) };
}

function figure(name: string, value: number, floor: number, goal: number): Figure {
  return { name, value, unit: 'ns/record', floor, ratio: value / floor, goal, ok: value / floor <= goal };
}

async function tumblingFigures(): Promise<Figure[]> {
  const { handler, bodyOf } = await framed('tumbling');
  const [floor = 0, single = 0, frames = 0] = await measure([
    round(singles(bidAt), tumblingByHand(10_000, OUT_OF_ORDER_MS)),
    round(singles(bidAt), handle(openStage(windowed('tumbling', false), 'bids', new NullLog()))),
    round(bodyOf, handle(handler)),
  ]);
  return [figure('tumbling count, single records', single, floor, 2), figure('tumbling count, frames', frames, floor, 2)];
}

async function slidingFigures(): Promise<Figure[]> {
  const run = (query: Query): ((round: number) => Promise<number>) =>
    round(singles(bidAt), handle(openStage(windowed(query, false), 'bids', new NullLog())));
  const [tumbling = 0, sliding = 0] = await measure([run('tumbling'), run('sliding')]);
  return [figure('sliding count in 60 windows, beside tumbling', sliding, tumbling, 6)];
}

const OPEN_SESSIONS = 100_000;

/** Every session has begun before the first round. */
async function sessionFigures(): Promise<Figure[]> {
  const bidBy = (i: number): Bid => ({ ...bidAt(i), bidder: (i * 7919) % OPEN_SESSIONS });
  const before = OPEN_SESSIONS / RECORDS;
  const handler = handle(openStage(windowed('sessions', false), 'bids', new NullLog()));
  const byHand = sessionsByHand(3_600_000);
  for (let call = 0; call < before; call++) {
    const body = singles(bidBy)(call);
    await handler(body);
    byHand(body);
  }
  const bodyOf = (call: number): string => singles(bidBy)(before + call);
  const [floor = 0, sessions = 0] = await measure([round(bodyOf, byHand), round(bodyOf, handler)]);
  return [figure(`session count, ${OPEN_SESSIONS} open sessions`, sessions, floor, 4)];
}

/** Bytes of the state after each call; a call brings ten windows. */
async function stateFigures(): Promise<Figure[]> {
  const made = windowed('state', false);
  const { plan } = planOf(made);
  const [stage] = plan.stages;
  const store = new MemoryStateBackend();
  const handler = handle(openStage(made, 'bids', new NullLog(), store));
  if (!stage) throw new Error('no stage');
  const sizes: number[] = [];
  for (let call = 0; call < 110; call++) {
    await handler(singles(bidAt)(call));
    const task = await readTask(store, plan, stage, 'bids', 0);
    const all = new Set(Array.from({ length: plan.stateFragments }, (_, i) => i));
    const fragments = { maxParallelism: plan.maxParallelism, count: plan.stateFragments };
    sizes.push([...(task?.state.images(all, fragments).values() ?? [])].reduce((sum, { length }) => sum + length, 0));
  }
  const [early, late] = [Math.max(...sizes.slice(10, 60)), Math.max(...sizes.slice(60))];
  const ratio = late / early;
  return [
    {
      name: 'state of 1,000 windows, second half beside first',
      value: late,
      unit: 'bytes',
      floor: early,
      ratio,
      goal: 1.05,
      ok: ratio <= 1.05,
    },
  ];
}

const figures: Record<Query, () => Promise<Figure[]>> = {
  tumbling: tumblingFigures,
  sliding: slidingFigures,
  sessions: sessionFigures,
  state: stateFigures,
};

const [query = ''] = process.argv.slice(2);
if (!Object.hasOwn(figures, query)) throw new Error(`there is no query '${query}'; there are ${Object.keys(figures).join(', ')}`);
process.stdout.write(JSON.stringify(await figures[query as Query]()));
