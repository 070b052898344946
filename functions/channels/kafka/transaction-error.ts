import { MillraceError } from '../../shared/errors.ts';
import { BrokerRefusal, refusalOf } from './broker-refusal.ts';
import type { KafkaConfig } from './config.ts';
import { toKafkaError } from './kafka-error.ts';

/**
 * The broker knows a newer epoch of this producer, or has given this one up: a newer producer, a transaction that took longer than its
 * timeout (the coordinator ends it under a newer epoch), or an id that expired. In each case a new producer goes on where the log stands.
 */
const FENCED: ReadonlySet<string> = new Set([
  'INVALID_PRODUCER_EPOCH',
  'PRODUCER_FENCED',
  'INVALID_TXN_STATE',
  'INVALID_PRODUCER_ID_MAPPING',
  'UNKNOWN_PRODUCER_ID',
]);

/** Why a transaction of producer `id` failed. */
export function commitError(error: unknown, id: string, topics: readonly string[], config: KafkaConfig): MillraceError {
  const refusal = refusalOf(error);
  if (refusal !== undefined && FENCED.has(refusal))
    return new MillraceError(
      'MILLRACE_FENCED',
      `there is a newer producer ${id}, or its transaction took too long (${refusal}): open it again, and go on at its offset`,
      { cause: error },
    );
  return (
    forbidden(error, id) ?? toKafkaError(error, attempt(`a transaction of ${id}`, topics.join(', '), config, 'MILLRACE_PRODUCE_FAILED'))
  );
}

/** Why producer `id`, for input topic `topic`, could not be opened. */
export function openError(error: unknown, id: string, topic: string, config: KafkaConfig): MillraceError {
  // A broker that answers, but not as it should, is no lost connection.
  const fallback = refusalOf(error) === undefined ? 'MILLRACE_CONNECTION_LOST' : 'MILLRACE_PRODUCE_FAILED';
  return forbidden(error, id) ?? toKafkaError(error, attempt(`opening producer ${id}`, topic, config, fallback));
}

function forbidden(error: unknown, id: string): MillraceError | undefined {
  const message = whatIsForbidden(error, id);
  return message === undefined ? undefined : new MillraceError('MILLRACE_NOT_AUTHORIZED', message, { cause: error });
}

/** Rights are missing on one thing, of the several that a transaction takes. */
function whatIsForbidden(error: unknown, id: string): string | undefined {
  switch (refusalOf(error)) {
    case 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED':
      return `this user may not use the transactional id ${id}: have WRITE and DESCRIBE on it granted, and READ on the group of this name`;
    case 'GROUP_AUTHORIZATION_FAILED':
      return `this user may not use the group ${id}, which holds the offset of an exactly-once sink: have READ on it granted, as on the transactional id`;
    case 'TOPIC_AUTHORIZATION_FAILED':
      if (!(error instanceof BrokerRefusal)) return undefined;
      return `this user may not write to ${error.subject} in a transaction of ${id}: have WRITE and DESCRIBE on the topic granted`;
    default:
      return undefined;
  }
}

function attempt(
  action: string,
  resource: string,
  { brokers }: KafkaConfig,
  fallback: 'MILLRACE_PRODUCE_FAILED' | 'MILLRACE_CONNECTION_LOST',
) {
  return { action, resource, brokers, fallback };
}
