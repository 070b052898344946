import { describe, expect, test } from '@jest/globals';
import { KafkaJSConnectionError, KafkaJSNonRetriableError, KafkaJSNumberOfRetriesExceeded, KafkaJSProtocolError } from 'kafkajs';
import { toKafkaError } from '../../../../../functions/channels/kafka/kafka-error.ts';
import { MillraceError } from '../../../../../functions/shared/errors.ts';

const ATTEMPT = { action: 'an append', resource: 't-0', brokers: ['a:1'], fallback: 'MILLRACE_PRODUCE_FAILED' } as const;

const protocol = (type: string): KafkaJSProtocolError => {
  const error = Object.assign(new Error(`about ${type}`), { type, code: 0, retriable: true });
  return new KafkaJSProtocolError(error);
};
const exhausted = (error: Error): Error => new KafkaJSNumberOfRetriesExceeded(error, { retryCount: 3, retryTime: 100 });

describe('toKafkaError', () => {
  test.each([
    ['UNKNOWN_TOPIC_OR_PARTITION', 'MILLRACE_TOPIC_MISSING'],
    ['MESSAGE_TOO_LARGE', 'MILLRACE_MESSAGE_TOO_LARGE'],
    ['TOPIC_AUTHORIZATION_FAILED', 'MILLRACE_NOT_AUTHORIZED'],
    ['GROUP_AUTHORIZATION_FAILED', 'MILLRACE_NOT_AUTHORIZED'],
    ['ILLEGAL_SASL_STATE', 'MILLRACE_AUTHENTICATION_FAILED'],
    ['NOT_ENOUGH_REPLICAS', 'MILLRACE_PRODUCE_FAILED'],
  ])('finds %s below what the client wraps around it', (type, code) => {
    const wrapped = Object.assign(new KafkaJSNonRetriableError('wrapped'), { cause: exhausted(protocol(type)) });

    expect(toKafkaError(wrapped, ATTEMPT)).toMatchObject({ code, message: expect.stringMatching(`t-0.*a:1.*${type}`) });
  });

  test.each([
    ['SELF_SIGNED_CERT_IN_CHAIN', 'MILLRACE_AUTHENTICATION_FAILED'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'MILLRACE_AUTHENTICATION_FAILED'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'MILLRACE_AUTHENTICATION_FAILED'],
    ['ECONNREFUSED', 'MILLRACE_PRODUCE_FAILED'],
  ])('tells a broker that is not trusted from one that is away: %s', (code, expected) => {
    const error = new KafkaJSConnectionError('Connection error', { broker: 'a:1', code });

    expect(toKafkaError(exhausted(error), ATTEMPT)).toMatchObject({ code: expected, cause: expect.anything() });
  });

  test('says that a port that hangs up on a TLS handshake may speak none, and has it tried again: a broker that restarts does so, too', () => {
    const message = 'Connection error: Client network socket disconnected before secure TLS connection was established';
    const error = new KafkaJSConnectionError(message, { broker: 'a:1', code: 'ECONNRESET' });

    expect(toKafkaError(exhausted(error), ATTEMPT)).toMatchObject({
      code: 'MILLRACE_PRODUCE_FAILED',
      message: expect.stringContaining('that this port speaks TLS'),
    });
    const reset = new KafkaJSConnectionError('Connection error: read ECONNRESET', { broker: 'a:1', code: 'ECONNRESET' });
    expect(toKafkaError(exhausted(reset), ATTEMPT).message).not.toContain('TLS');
  });

  test.each([() => Buffer.from(5 as never), () => Buffer.alloc(NaN), () => Buffer.alloc(8).writeBigInt64BE(2n ** 64n)])(
    'blames no broker for what can not be encoded here, and has it not tried again: %s',
    (encode) => {
      let thrown: unknown;
      try {
        encode();
      } catch (error) {
        thrown = error;
      }

      expect(toKafkaError(thrown, ATTEMPT)).toMatchObject({ code: 'MILLRACE_VALUE_NOT_ENCODABLE', retry: 'never', cause: thrown });
      expect(toKafkaError(thrown, { ...ATTEMPT, fallback: 'MILLRACE_CONNECTION_LOST' })).toMatchObject({
        code: 'MILLRACE_CONNECTION_LOST',
      });
    },
  );

  test('leaves what is ours as it is', () => {
    const ours = new MillraceError('MILLRACE_TOPIC_MISSING', 'no t-9');

    expect(toKafkaError(ours, ATTEMPT)).toBe(ours);
  });

  test.each([undefined, 'text', new Error('plain')])('takes whatever is thrown: %p', (thrown) => {
    expect(toKafkaError(thrown, ATTEMPT)).toMatchObject({ code: 'MILLRACE_PRODUCE_FAILED' });
  });
});
