import { MillraceError } from '../../shared/errors.ts';

/** Values of consumer properties, as text or as what they are. */
export type ConsumerProperties = Readonly<Record<string, string | number>>;

/** What properties mean here. */
export interface ConsumerSettings {
  readonly group?: string;
  readonly start?: 'earliest' | 'latest';
  readonly batchSize?: number;
  readonly batchWindowMs?: number;
}

/**
 * Properties of Kafka's consumers, under the names that they have in the Java client and in librdkafka, that the mapping of a stage has, too. All
 * others are refused: what nobody reads would look as if it held.
 */
const PROPERTIES: Readonly<Record<string, (name: string, value: unknown) => ConsumerSettings>> = {
  'auto.offset.reset': (name, value) => {
    if (value === 'earliest' || value === 'latest') return { start: value };
    throw invalid(name, value, "'earliest' or 'latest'");
  },
  'fetch.max.wait.ms': (name, value) => ({ batchWindowMs: whole(name, value, 0, 300_000) }),
  'group.id': (name, value) => {
    if (typeof value === 'string') return { group: value };
    throw invalid(name, value, 'a text');
  },
  'max.poll.records': (name, value) => ({ batchSize: whole(name, value, 1, 10_000) }),
};

/** @throws MILLRACE_OPTION_INVALID */
export function parseConsumerProperties(properties: unknown = {}): ConsumerSettings {
  if (typeof properties !== 'object' || properties === null || Array.isArray(properties))
    throw new MillraceError('MILLRACE_OPTION_INVALID', `properties must be an object of ${known()}`);
  return Object.assign({}, ...Object.entries(properties).map(([name, value]) => setting(name, value))) as ConsumerSettings;
}

function setting(name: string, value: unknown): ConsumerSettings {
  const read = Object.hasOwn(PROPERTIES, name) ? PROPERTIES[name] : undefined;
  if (read) return read(name, value);
  throw new MillraceError(
    'MILLRACE_OPTION_INVALID',
    `property '${name}' means nothing here: known are ${known()}. How to reach the cluster stands in MILLRACE_KAFKA_CONFIG, for all sources and ` +
      'sinks; the rest of a consumer is up to the event source mapping',
  );
}

function known(): string {
  return Object.keys(PROPERTIES).join(', ');
}

function whole(name: string, value: unknown, least: number, most: number): number {
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isInteger(number) && number >= least && number <= most) return number;
  throw invalid(name, value, `a whole number from ${least} to ${most}`);
}

function invalid(name: string, value: unknown, allowed: string): MillraceError {
  return new MillraceError('MILLRACE_OPTION_INVALID', `property '${name}' is ${JSON.stringify(value)}: give ${allowed}`);
}
