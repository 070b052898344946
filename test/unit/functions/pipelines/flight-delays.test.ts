import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { FeedSource } from '../../../../functions/connectors/source.ts';
import { parseLock } from '../../../../functions/graph/lock-parser.ts';
import { formatLock, LOCK_FILE, updateLock } from '../../../../functions/graph/lock.ts';
import { planPipeline } from '../../../../functions/graph/plan.ts';
import { dateShifter, type Flight, flightSchema } from '../../../../functions/pipelines/flight-delays/flight.ts';
import flightDelays from '../../../../functions/pipelines/flight-delays.ts';

const flight: Flight = { date: '2001/01/31 23:59', delay: -5, distance: 407, origin: 'LAS', destination: 'OAK' };

function sourceOf(params: Readonly<Record<string, string>>): FeedSource<Flight> {
  const [node] = flightDelays.build(params).nodes;
  if (node?.kind !== 'source') throw new Error('the first node is no source');
  return node.source as FeedSource<Flight>;
}

async function readAll(source: FeedSource<Flight>): Promise<readonly Flight[]> {
  const flights: Flight[] = [];
  for await (const records of source.read()) for (const record of records) flights.push(source.value.decode(record));
  return flights;
}

describe('the plan', () => {
  test('has three stages and two hops', () => {
    const plan = planPipeline(flightDelays.build({}));

    expect(plan.stages.map(({ id, fenced }) => [id, fenced])).toEqual([
      ['flights', false],
      ['origin-delays', true],
      ['band-delays', true],
    ]);
    expect(plan.channels).toHaveLength(2);
    expect(plan.sinkTopics).toEqual(['flight-delay-bands', 'flight-delay-origins']);
  });

  test('is that of the committed lock file', () => {
    const text = readFileSync(join(process.cwd(), 'functions', 'pipelines', LOCK_FILE), 'utf8');

    expect(formatLock(updateLock(parseLock(text), planPipeline(flightDelays.build({}))))).toBe(text);
  });
});

describe('the input', () => {
  test('is every flight of the file, decoded', async () => {
    const path = join(process.cwd(), 'node_modules', 'vega-datasets', 'data', 'flights-20k.json');
    const expected = JSON.parse(readFileSync(path, 'utf8')) as readonly Flight[];

    const flights = await readAll(sourceOf({}));

    expect(flights).toHaveLength(20_000);
    expect(flights).toEqual(expected);
  });

  test('is shifted by its span of 90 days in each repetition, and nothing else changes', async () => {
    const flights = await readAll(sourceOf({ repeat: '3' }));

    expect(flights).toHaveLength(60_000);
    for (const index of [0, 1234, 19_999]) {
      const { date, ...rest } = flights[index]!;
      const { date: shifted, ...same } = flights[index + 40_000]!;
      const days = (Date.parse(`${shifted.replaceAll('/', '-')}Z`) - Date.parse(`${date.replaceAll('/', '-')}Z`)) / 86_400_000;
      expect(days).toBe(180);
      expect(same).toEqual(rest);
    }
    expect(flights[20_000]!.date > flights[19_999]!.date).toBe(true);
  });
});

describe('dateShifter', () => {
  const shift = (text: string, days: number): string => Buffer.from(dateShifter(days)(Buffer.from(text), 1)).toString();

  test('moves over months and leap years', () => {
    expect(shift('{"date":"2000/02/28 00:00"}', 1)).toBe('{"date":"2000/02/29 00:00"}');
    expect(shift('{"a":1,"date":"2001/12/31 10:00"}', 1)).toBe('{"a":1,"date":"2002/01/01 10:00"}');
  });

  test('counts rounds from 0, and shifts by the span in each, in whatever order they come', () => {
    const rewrite = dateShifter(90);
    const record = Buffer.from('{"date":"2001/01/01 00:00"}');

    expect([0, 1, 2, 1].map((round) => Buffer.from(rewrite(record, round)).toString('utf8', 9, 19))).toEqual([
      '2001/01/01',
      '2001/04/01',
      '2001/06/30',
      '2001/04/01',
    ]);
  });

  test('leaves the given bytes alone', () => {
    const bytes = Buffer.from('{"date":"2001/01/01 00:00"}');
    dateShifter(1)(bytes, 1);

    expect(bytes.toString()).toBe('{"date":"2001/01/01 00:00"}');
  });

  test.each(['{}', '{"date":"20"}', '{"date":"yesterday, at noon"}', '{"date":null}', ''])('hands on %p as it is', (text) => {
    expect(shift(text, 1)).toBe(text);
  });
});

describe('flightSchema', () => {
  const validate = (value: unknown): unknown => flightSchema['~standard'].validate(value);

  test('accepts a flight', () => {
    expect(validate(flight)).toEqual({ value: flight });
  });

  test.each([
    null,
    'flight',
    {},
    { ...flight, delay: '5' },
    { ...flight, delay: 0.5 },
    { ...flight, distance: undefined },
    { ...flight, date: '2001' },
    { ...flight, origin: 7 },
  ])('refuses %p', (value) => {
    expect(validate(value)).toMatchObject({ issues: [{ message: expect.stringContaining('must be') }] });
  });
});
