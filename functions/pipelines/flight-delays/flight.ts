import type { StandardSchemaV1 } from '@standard-schema/spec';

/** One flight of vega-datasets' flights-20k.json. */
export interface Flight {
  /** Scheduled departure, as `2001/01/31 23:59`. */
  readonly date: string;
  /** Minutes that it left late; negative if early. */
  readonly delay: number;
  /** Miles. */
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

const DATE_LENGTH = 'yyyy/mm/dd hh:mm'.length;

/** A schema written by hand, as any Standard Schema will do: this one takes a few nanoseconds a record. */
export const flightSchema: StandardSchemaV1<unknown, Flight> = {
  '~standard': {
    version: 1,
    vendor: 'flight-delays',
    validate: (value) => {
      const problem = problemOf(value as Partial<Flight> | null);
      return problem === undefined ? { value: value as Flight } : { issues: [{ message: problem }] };
    },
  },
};

function problemOf(flight: Partial<Flight> | null): string | undefined {
  if (typeof flight !== 'object' || flight === null) return 'a flight must be an object';
  const { date, delay, distance, origin, destination } = flight;
  if (typeof date !== 'string' || date.length !== DATE_LENGTH) return 'date must be yyyy/mm/dd hh:mm';
  if (!Number.isInteger(delay)) return 'delay must be whole minutes';
  if (!Number.isFinite(distance)) return 'distance must be a number of miles';
  return typeof origin === 'string' && typeof destination === 'string' ? undefined : 'origin and destination must be airport codes';
}

const DATE_FIELD = Buffer.from('"date":"');
const DAY_LENGTH = 'yyyy/mm/dd'.length;
const DAY_MS = 86_400_000;
const DIGIT_0 = 0x30;

/**
 * Moves the dates of flights by `spanDays` in every repetition, so that records do not come twice. Digits are patched in a copy of the
 * bytes; the rest is not parsed.
 */
export function dateShifter(spanDays: number): (record: Uint8Array, round: number) => Uint8Array {
  // Flights are in the order of their dates: the days of the round at hand are all that is needed again.
  let shifted = new Map<number, Uint8Array>();
  let shiftedFor = 0;
  return (record, round) => {
    const at = round === 0 ? -1 : dateAt(record);
    const day = at === -1 ? NaN : readDay(record, at);
    if (Number.isNaN(day)) return record; // no flight: it fails where it is decoded
    if (round !== shiftedFor) shifted = new Map();
    shiftedFor = round;
    let digits = shifted.get(day);
    if (digits === undefined) shifted.set(day, (digits = shiftDay(day, round * spanDays)));
    const copy = new Uint8Array(record);
    copy.set(digits, at);
    return copy;
  };
}

/** Where the date stands in a record, or -1. It is usually the first field. */
function dateAt(record: Uint8Array): number {
  for (let from = 0; from + DATE_FIELD.length + DAY_LENGTH <= record.length; from++) {
    if (DATE_FIELD.every((byte, index) => record[from + index] === byte)) return from + DATE_FIELD.length;
  }
  return -1;
}

/** `2001/01/31` as 20010131; NaN if it is no day. */
function readDay(record: Uint8Array, at: number): number {
  let day = 0;
  for (let index = 0; index < DAY_LENGTH; index++) {
    if (index === 4 || index === 7) continue;
    const digit = (record[at + index] ?? 0) - DIGIT_0;
    if (digit < 0 || digit > 9) return NaN;
    day = day * 10 + digit;
  }
  return day;
}

function shiftDay(day: number, days: number): Uint8Array {
  const time = Date.UTC(Math.floor(day / 10_000), (Math.floor(day / 100) % 100) - 1, day % 100);
  const text = new Date(time + days * DAY_MS).toISOString().slice(0, DAY_LENGTH);
  return Buffer.from(text.replaceAll('-', '/'));
}
