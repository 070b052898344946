import { describe, expect, test } from '@jest/globals';
import { BrokerRefusal } from '../../../../../functions/channels/kafka/broker-refusal.ts';
import { parseKafkaConfig } from '../../../../../functions/channels/kafka/config.ts';
import { commitError, openError } from '../../../../../functions/channels/kafka/transaction-error.ts';

const config = parseKafkaConfig({ MILLRACE_KAFKA: 'kafka:9092' });
const lost = Object.assign(new Error('Closed connection'), { name: 'KafkaJSConnectionClosedError' });

describe('commitError', () => {
  test.each([
    [47, 'MILLRACE_FENCED'],
    [48, 'MILLRACE_FENCED'],
    [49, 'MILLRACE_FENCED'],
    [59, 'MILLRACE_FENCED'],
    [90, 'MILLRACE_FENCED'],
    [53, 'MILLRACE_NOT_AUTHORIZED'],
    [29, 'MILLRACE_NOT_AUTHORIZED'],
    [30, 'MILLRACE_NOT_AUTHORIZED'],
    [3, 'MILLRACE_TOPIC_MISSING'],
    [10, 'MILLRACE_MESSAGE_TOO_LARGE'],
    [6, 'MILLRACE_PRODUCE_FAILED'],
    [16, 'MILLRACE_PRODUCE_FAILED'],
    [45, 'MILLRACE_PRODUCE_FAILED'],
    [51, 'MILLRACE_PRODUCE_FAILED'],
  ])('tells Kafka’s error %i as %s', (errorCode, code) => {
    expect(commitError(new BrokerRefusal(errorCode, 'out-0'), 'stage.in-0', ['out', 'in'], config)).toMatchObject({ code });
  });

  test('calls an outcome that nobody knows a failure that a retry may mend', () => {
    const error = commitError(lost, 'stage.in-0', ['out', 'in'], config);

    expect(error).toMatchObject({ code: 'MILLRACE_PRODUCE_FAILED', retry: 'backoff', cause: lost });
    expect(error.message).toBe(
      'a transaction of stage.in-0 (out, in, brokers kafka:9092) failed: Closed connection. Check that the brokers are up and can be reached',
    );
  });

  test('names the id that a user may not use', () => {
    expect(commitError(new BrokerRefusal(53, 'x'), 'stage.in-0', [], config).message).toContain('transactional id stage.in-0');
  });
});

describe('openError', () => {
  test.each([
    [new BrokerRefusal(51, 'x'), 'MILLRACE_PRODUCE_FAILED'],
    // Another one that opens it at the same time: no producer of ours has been refused yet.
    [new BrokerRefusal(47, 'x'), 'MILLRACE_PRODUCE_FAILED'],
    [new BrokerRefusal(53, 'x'), 'MILLRACE_NOT_AUTHORIZED'],
    [new BrokerRefusal(3, 'x'), 'MILLRACE_TOPIC_MISSING'],
    [lost, 'MILLRACE_CONNECTION_LOST'],
  ])('tells %s as %s', (error, code) => {
    expect(openError(error, 'stage.in-0', 'in', config)).toMatchObject({ code });
  });
});
