/**
 * How late flights leave, from the US flight records of vega-datasets: running figures per origin airport, then per route distance.
 * Three stages, two Kafka hops.
 *
 *     millrace dev functions/pipelines/flight-delays.ts --param repeat=10
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { file, json, kafka, outputTag, pipeline, Types, valueState } from 'millrace';
import { dateShifter, type Flight, flightSchema } from './flight-delays/flight.ts';

/** Running figures of a group of flights. Delays are in minutes, negative if a flight left early. */
const NO_FLIGHTS = { flights: 0, totalDelay: 0, maxDelay: -Infinity };

/** An event-time timer that only the end of the input reaches. */
const END_OF_INPUT = Number.MAX_SAFE_INTEGER;

/** Origins put out their figures once in so many flights, and at the end. */
const FLIGHTS_A_REPORT = 100;

const BAND_MILES = 250;
const LAST_BAND_MILES = 2500;

/** The flights are those of 2001/01/01 to 2001/03/31; a repetition goes on with the day after. */
const SPAN_DAYS = 90;

const originReports = outputTag(
  'origin-reports',
  Types.object({ origin: Types.string, flights: Types.number, meanDelay: Types.number, maxDelay: Types.number }),
);

export default pipeline('flight-delays', (env) => {
  const input = env.param('input', { default: '' });
  const repeat = Number(env.param('repeat', { default: '1' }));

  const origins = env
    .fromSource(
      file.source({
        path: () => (input === '' ? flightsOfVegaDatasets() : input),
        format: 'json-array',
        value: json(flightSchema),
        repeat,
        rewrite: dateShifter(SPAN_DAYS),
      }),
      { uid: 'flights' },
    )
    .filter(isComparable)
    .name('comparable flights')
    .keyBy((flight) => flight.origin)
    .process({
      state: { delays: valueState('delays', { default: NO_FLIGHTS }) },
      processElement({ date, delay, distance, origin }, ctx) {
        const delays = addDelay(ctx.state.delays.value(), delay);
        ctx.state.delays.update(delays);
        if (delays.flights === 1) ctx.timerService.registerEventTimeTimer(END_OF_INPUT);
        if (delays.flights % FLIGHTS_A_REPORT === 0) ctx.output(originReports, { origin, ...figures(delays) });
        return [{ band: bandOf(distance), date, delay, origin }];
      },
      onTimer(_time, ctx) {
        ctx.output(originReports, { origin: ctx.key, ...figures(ctx.state.delays.value()) });
      },
    })
    .uid('origin-delays');

  origins
    .getSideOutput(originReports)
    .sinkTo(kafka.sink({ topic: 'flight-delay-origins', value: json(), key: ({ origin }) => origin }))
    .name('origins');

  const bands = origins
    .keyBy(({ band }) => band)
    .process({
      state: { delays: valueState('delays', { default: { ...NO_FLIGHTS, late: 0, until: '' } }) },
      processElement({ band, date, delay }, ctx) {
        const before = ctx.state.delays.value();
        const late = before.late + (delay >= 15 ? 1 : 0);
        const until = date > before.until ? date : before.until;
        const delays = { ...addDelay(before, delay), late, until };
        ctx.state.delays.update(delays);
        return [{ band, ...figures(delays), late, until }];
      },
    })
    .uid('band-delays');

  bands.sinkTo(kafka.sink({ topic: 'flight-delay-bands', value: json(), key: ({ band }) => band })).name('bands');
  bands.print('band');
});

/** Very short hops are positioning flights and air taxis: their delays say nothing about an airport. */
function isComparable({ distance, origin, destination }: Flight): boolean {
  return distance >= 100 && origin !== destination;
}

function addDelay(delays: typeof NO_FLIGHTS, delay: number): typeof NO_FLIGHTS {
  return {
    flights: delays.flights + 1,
    totalDelay: delays.totalDelay + delay,
    maxDelay: Math.max(delays.maxDelay, delay),
  };
}

function figures({ flights, totalDelay, maxDelay }: typeof NO_FLIGHTS): { flights: number; meanDelay: number; maxDelay: number } {
  return { flights, meanDelay: totalDelay / flights, maxDelay };
}

/** Route distance in steps of 250 miles: `250-499`, …, `2500+`. */
function bandOf(distance: number): string {
  if (distance >= LAST_BAND_MILES) return `${LAST_BAND_MILES}+`;
  const from = Math.floor(distance / BAND_MILES) * BAND_MILES;
  return `${from}-${from + BAND_MILES - 1}`;
}

/** The package hides its data folder; it lies beside the folder of its main module. */
function flightsOfVegaDatasets(): string {
  const main = createRequire(join(process.cwd(), 'package.json')).resolve('vega-datasets');
  return join(dirname(main), '..', 'data', 'flights-20k.json');
}
