import { MillraceError } from '../../shared/errors.ts';

const TOPIC = /^[a-zA-Z0-9._-]{1,249}$/;

/** @throws MILLRACE_OPTION_INVALID if this cannot be the name of a Kafka topic. */
export function checkTopic(topic: unknown): string {
  if (typeof topic === 'string' && TOPIC.test(topic) && topic !== '.' && topic !== '..') return topic;
  throw new MillraceError(
    'MILLRACE_OPTION_INVALID',
    `topic ${JSON.stringify(topic)} is no name for a topic: give 1 to 249 of a-z, A-Z, 0-9, '.', _ and -`,
  );
}

/** @throws MILLRACE_OPTION_INVALID if `codec` has no such function. */
export function checkCodec(connector: string, codec: unknown, direction: 'encode' | 'decode'): void {
  if (typeof (codec as Record<string, unknown> | undefined)?.[direction] === 'function') return;
  throw new MillraceError('MILLRACE_OPTION_INVALID', `${connector} needs a codec: { value: json() }, string() or bytes()`);
}
