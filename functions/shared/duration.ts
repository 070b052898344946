import { MillraceError } from './errors.ts';

/** A length of time: a number of milliseconds, or text such as `'200 ms'`, `'5 seconds'`, `'1 hour'`. */
export type Duration = number | `${number} ${'ms' | 'second' | 'seconds' | 'minute' | 'minutes' | 'hour' | 'hours' | 'day' | 'days'}`;

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  second: 1000,
  seconds: 1000,
  minute: 60_000,
  minutes: 60_000,
  hour: 3_600_000,
  hours: 3_600_000,
  day: 86_400_000,
  days: 86_400_000,
};

/**
 * Milliseconds of a duration: a whole number, at least 0.
 *
 * @throws MILLRACE_OPTION_INVALID
 */
export function toMilliseconds(duration: Duration): number {
  const ms = typeof duration === 'number' ? duration : parseText(duration);
  if (ms === undefined || !Number.isSafeInteger(ms) || ms < 0) {
    throw new MillraceError(
      'MILLRACE_OPTION_INVALID',
      `${JSON.stringify(duration)} is no duration: give whole milliseconds, at least 0, or text such as '200 ms', '5 seconds', '1 hour'`,
    );
  }
  return ms;
}

/** As `toMilliseconds`, of a duration that may be negative: `-1000`, `'-5 seconds'`. */
export function toSignedMilliseconds(duration: Duration): number {
  if (!String(duration).startsWith('-')) return toMilliseconds(duration);
  return 0 - toMilliseconds(typeof duration === 'number' ? -duration : (duration.slice(1) as Duration));
}

function parseText(text: unknown): number | undefined {
  const match = typeof text === 'string' ? /^(\d+(?:\.\d+)?) (\w+)$/.exec(text) : null;
  const unit = match === null ? undefined : UNIT_MS[match[2] ?? ''];
  return unit === undefined ? undefined : Number(match?.[1]) * unit;
}
