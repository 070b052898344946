import { COMPRESSIONS } from '../../graph/compression.ts';
import type { TopicProduction } from '../../graph/stage-plan.ts';
import { MillraceError } from '../../shared/errors.ts';

type Given = { readonly [K in keyof TopicProduction]?: unknown } & { readonly delivery?: unknown };

const ACKS = ['all', 1, 0] as const;
const TIMESTAMPS = ['event-time', 'log-append'] as const;
const MOST_RETRIES = 100;

/**
 * The options of a sink that say how its topic is written to, those that were given.
 *
 * @throws MILLRACE_OPTION_INVALID one is none of the allowed values, or two contradict each other.
 */
export function checkProduction(given: Given, delivery: 'at-least-once' | 'exactly-once'): TopicProduction {
  const { retries, idempotent } = given;
  const acks = oneOf('acks', given.acks, ACKS);
  const compression = oneOf('compression', given.compression, COMPRESSIONS);
  const timestamps = oneOf('timestamps', given.timestamps, TIMESTAMPS);
  if (idempotent !== undefined && typeof idempotent !== 'boolean') throw invalid('idempotent', idempotent, 'true or false');
  if (retries !== undefined && !isRetries(retries)) throw invalid('retries', retries, `a whole number from 0 to ${MOST_RETRIES}`);
  const produces = Object.freeze({
    ...(acks !== undefined && { acks }),
    ...(compression !== undefined && { compression }),
    ...(retries !== undefined && { retries }),
    ...(idempotent !== undefined && { idempotent }),
    ...(timestamps !== undefined && { timestamps }),
  });
  const conflict = delivery === 'exactly-once' ? transactionConflict(produces) : conflictOf(produces, given.delivery);
  if (conflict === undefined) return produces;
  throw new MillraceError('MILLRACE_OPTION_INVALID', `kafka.sink() has ${conflict}`);
}

function transactionConflict({ acks = 'all', idempotent = true, retries }: TopicProduction): string | undefined {
  if (acks !== 'all') return `delivery 'exactly-once' and acks ${acks}: transactions need acks 'all'`;
  if (!idempotent) return "delivery 'exactly-once' and idempotent false: transactions are idempotent, so leave it out";
  if (retries === undefined) return undefined;
  return `delivery 'exactly-once' and retries ${retries}: a transaction that fails is never sent again, its batch comes again; leave it out`;
}

function conflictOf({ acks = 'all', idempotent = false, retries }: TopicProduction, delivery: unknown): string | undefined {
  if (idempotent && acks !== 'all') return `idempotent true and acks ${acks}: brokers take idempotent messages with acks 'all' alone`;
  if (idempotent && retries === 0) return 'idempotent true and retries 0: nothing is repeated that could be doubled; leave one out';
  if (acks !== 0) return undefined;
  if (delivery !== undefined)
    return "delivery 'at-least-once' and acks 0: without an acknowledgement, what is lost is not sent again; give acks 1 or 'all'";
  return retries === undefined
    ? undefined
    : `acks 0 and retries ${retries}: without an answer there is nothing to try again; leave one out`;
}

function isRetries(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MOST_RETRIES;
}

function oneOf<T extends string | number>(name: string, value: unknown, allowed: readonly T[]): T | undefined {
  if (value === undefined) return undefined;
  const found = allowed.find((one) => one === value);
  if (found !== undefined) return found;
  throw invalid(name, value, allowed.map((one) => (typeof one === 'string' ? `'${one}'` : String(one))).join(', '));
}

function invalid(name: string, value: unknown, allowed: string): MillraceError {
  return new MillraceError('MILLRACE_OPTION_INVALID', `${name} of kafka.sink() is ${JSON.stringify(value)}: give ${allowed}`);
}
