/** The whole pipeline over the real file, against the same figures computed by hand. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { runPipeline, type SinkRecord } from 'millrace/testing';
import type { Flight } from '../../../../functions/pipelines/flight-delays/flight.ts';
import flightDelays from '../../../../functions/pipelines/flight-delays.ts';

interface Figures {
  flights: number;
  totalDelay: number;
  maxDelay: number;
  late: number;
  until: string;
}

const path = join(process.cwd(), 'node_modules', 'vega-datasets', 'data', 'flights-20k.json');
const flights = JSON.parse(readFileSync(path, 'utf8')) as readonly Flight[];

function compute(keyOf: (flight: Flight) => string): ReadonlyMap<string, Figures> {
  const groups = new Map<string, Figures>();
  for (const flight of flights) {
    if (flight.distance < 100 || flight.origin === flight.destination) continue;
    const key = keyOf(flight);
    const group = groups.get(key) ?? { flights: 0, totalDelay: 0, maxDelay: -Infinity, late: 0, until: '' };
    groups.set(key, group);
    group.flights++;
    group.totalDelay += flight.delay;
    if (flight.delay > group.maxDelay) group.maxDelay = flight.delay;
    if (flight.delay >= 15) group.late++;
    if (flight.date > group.until) group.until = flight.date;
  }
  return groups;
}

/** The last row of each key in a topic. */
function lastRows(records: readonly SinkRecord[] | undefined, key: string): ReadonlyMap<string, Record<string, unknown>> {
  const rows = (records ?? []).map(({ value }) => value as Record<string, unknown>);
  return new Map(rows.map((row) => [String(row[key]), row]));
}

test('puts out the figures of the file, and two malformed records as dead letters', async () => {
  const good = flights.map((flight) => Buffer.from(JSON.stringify(flight)));
  const input = [...good.slice(0, 5000), Buffer.from('{"date":'), ...good.slice(5000), Buffer.from('{"origin":"SFO"}')];

  const run = await runPipeline(flightDelays, { input: { flights: input } });

  const bands = compute(({ distance }) =>
    distance >= 2500 ? '2500+' : `${distance - (distance % 250)}-${distance - (distance % 250) + 249}`,
  );
  const expectedBands = [...bands].map(([band, { totalDelay, ...figures }]) => [
    band,
    { band, ...figures, meanDelay: totalDelay / figures.flights },
  ]);
  expect(lastRows(run.sinks['flight-delay-bands'], 'band')).toEqual(new Map(expectedBands as [string, object][]));
  const origins = compute(({ origin }) => origin);
  const expectedOrigins = [...origins].map(([origin, { flights: count, totalDelay, maxDelay }]) => [
    origin,
    { origin, flights: count, meanDelay: totalDelay / count, maxDelay },
  ]);
  expect(lastRows(run.sinks['flight-delay-origins'], 'origin')).toEqual(new Map(expectedOrigins as [string, object][]));
  expect(run.deadLetters).toHaveLength(2);
});
