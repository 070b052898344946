/**
 * Joins of Nexmark's streams against arrays and sorts: persons, auctions and bids, up to two seconds out of order, with a few sellers and
 * auctions that most records belong to. Every partition is out of order by no more, so nothing may be late, whatever the interleaving.
 */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type DataStream, json, kafka, pipeline, type Pipeline, WatermarkStrategy } from '../../../../functions/index.ts';
import { runShuffled } from './shuffled-run.ts';

interface Person {
  readonly id: number;
  readonly name: string;
  readonly dateTime: number;
}

interface Auction {
  readonly id: number;
  readonly seller: number;
  readonly dateTime: number;
}

interface Bid {
  readonly auction: number;
  readonly price: number;
  readonly dateTime: number;
}

const OUT_OF_ORDER_MS = 2000;
const WINDOW_MS = 10_000;

function reads(build: (read: <T extends { readonly dateTime: number }>(topic: string) => DataStream<T>) => DataStream<unknown>): Pipeline {
  return pipeline('nexmark', { parallelism: 3 }, (env) => {
    build(<T extends { readonly dateTime: number }>(topic: string) =>
      env
        .fromSource(kafka.source({ topic, value: json<T>() }), { uid: topic })
        .assignTimestampsAndWatermarks(
          WatermarkStrategy.forBoundedOutOfOrderness(OUT_OF_ORDER_MS).withTimestampAssigner(({ dateTime }: T) => dateTime),
        ),
    ).sinkTo(kafka.sink({ topic: 'out', value: json() }));
  });
}

/** An event each 400 ms or so, each early or late by up to a second. */
const times = (least: number): fc.Arbitrary<number[]> =>
  fc.array(fc.tuple(fc.nat(800), fc.nat(1000)), { minLength: least, maxLength: 80 }).map((steps) => {
    let now = 1_000_000;
    return steps.map(([step, jitter]) => (now += step) + jitter);
  });

/** Half of the draws are of three that are hot. */
const hot = (below: number): fc.Arbitrary<number> => fc.oneof(fc.nat(2), fc.nat(below));

const persons = fc
  .tuple(times(10), fc.infiniteStream(hot(9)))
  .map(([at, ids]) => at.map((dateTime): Person => ({ ...named(Number(ids.next().value)), dateTime })));
const auctions = fc
  .tuple(times(10), fc.infiniteStream(hot(9)))
  .map(([at, sellers]) => at.map((dateTime, id): Auction => ({ id: id % 20, seller: Number(sellers.next().value), dateTime })));
const bids = fc
  .tuple(times(10), fc.infiniteStream(hot(19)))
  .map(([at, ids]) => at.map((dateTime, price): Bid => ({ auction: Number(ids.next().value), price, dateTime })));
const seed = fc.nat(1e6);

function named(id: number): Pick<Person, 'id' | 'name'> {
  return { id, name: `person ${id}` };
}

function multiset(rows: readonly unknown[]): string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}

const windowOf = (at: number): number => at - (at % WINDOW_MS);

test('q8: who registers and sells within the same ten seconds', async () => {
  const q8 = reads((read) =>
    read<Person>('persons')
      .coGroup(read<Auction>('auctions'))
      .where(({ id }) => id)
      .equalTo(({ seller }) => seller)
      .window(WINDOW_MS)
      .apply((persons, auctions, { window }) => {
        if (auctions.length === 0) return [];
        const names = new Map(persons.map(({ id, name }) => [name, id]));
        return [...names].map(([name, id]) => ({ id, name, starttime: window.start }));
      })
      .uid('q8'),
  );
  await fc.assert(
    fc.asyncProperty(persons, auctions, seed, async (persons, auctions, seed) => {
      const { sinks, errors, lateRecords } = await runShuffled(q8, { persons, auctions }, { seed, maxBatch: 20 });

      const rows = persons
        .filter(({ id, dateTime }) => auctions.some((one) => one.seller === id && windowOf(one.dateTime) === windowOf(dateTime)))
        .map(({ id, name, dateTime }) => ({ id, name, starttime: windowOf(dateTime) }));
      expect([errors, lateRecords]).toEqual([[], 0]);
      expect(multiset(sinks['out'] ?? [])).toEqual([...new Set(multiset(rows))]);
    }),
    { numRuns: 15 },
  );
});

test('q8 by pairs: each auction of a person with each registration, in one window', async () => {
  const pairs = reads((read) =>
    read<Person>('persons')
      .join(read<Auction>('auctions'))
      .where(({ id }) => id)
      .equalTo(({ seller }) => seller)
      .window(WINDOW_MS)
      .apply((person, auction, { window }) => ({ name: person.name, auction: auction.id, starttime: window.start }))
      .uid('pairs'),
  );
  await fc.assert(
    fc.asyncProperty(persons, auctions, seed, async (persons, auctions, seed) => {
      const { sinks, errors, lateRecords } = await runShuffled(pairs, { persons, auctions }, { seed, maxBatch: 20 });

      const rows = persons.flatMap(({ id, name, dateTime }) =>
        auctions
          .filter((one) => one.seller === id && windowOf(one.dateTime) === windowOf(dateTime))
          .map((one) => ({ name, auction: one.id, starttime: windowOf(dateTime) })),
      );
      expect([errors, lateRecords]).toEqual([[], 0]);
      expect(multiset(sinks['out'] ?? [])).toEqual(multiset(rows));
    }),
    { numRuns: 15 },
  );
});

test('interval join: the bids on an auction within five seconds of its opening, and of the second before', async () => {
  const early = reads((read) =>
    read<Auction>('auctions')
      .keyBy(({ id }) => id)
      .intervalJoin(read<Bid>('bids').keyBy(({ auction }) => auction))
      .between('-1 second', '5 seconds')
      .process({
        processElement: (auction, bid, ctx) => [{ id: auction.id, seller: auction.seller, price: bid.price, at: ctx.timestamp }],
      })
      .uid('early'),
  );
  await fc.assert(
    fc.asyncProperty(auctions, bids, seed, async (auctions, bids, seed) => {
      const { sinks, errors, lateRecords } = await runShuffled(early, { auctions, bids }, { seed, maxBatch: 20 });

      const rows = auctions.flatMap(({ id, seller, dateTime }) =>
        bids
          .filter((bid) => bid.auction === id && bid.dateTime - dateTime >= -1000 && bid.dateTime - dateTime <= 5000)
          .map((bid) => ({ id, seller, price: bid.price, at: bid.dateTime > dateTime ? bid.dateTime : dateTime })),
      );
      expect([errors, lateRecords]).toEqual([[], 0]);
      expect(multiset(sinks['out'] ?? [])).toEqual(multiset(rows));
    }),
    { numRuns: 15 },
  );
});
