import { createRequire } from 'node:module';
import { describe, expect, test } from '@jest/globals';
import { BrokerRefusal, refusalOf } from '../../../../../functions/channels/kafka/broker-refusal.ts';

/** kafkajs's own table: what it throws and what we throw has to have one name. */
const { errorCodes } = createRequire(__filename)('kafkajs/src/protocol/error.js') as {
  errorCodes: readonly { code: number; type: string }[];
};

describe('BrokerRefusal', () => {
  test('has the name that kafkajs has for the code, wherever both have one', () => {
    const named = errorCodes.filter(({ code }) => !new BrokerRefusal(code, 'p').type.startsWith('error code'));

    expect(named.length).toBeGreaterThan(20);
    expect(named.map(({ code }) => new BrokerRefusal(code, 'p').type)).toEqual(named.map(({ type }) => type));
  });

  test('knows the code that kafkajs does not: of a fenced producer', () => {
    expect(errorCodes.some(({ code }) => code === 90)).toBe(false);
    expect(refusalOf(new BrokerRefusal(90, 'p'))).toBe('PRODUCER_FENCED');
  });

  test.each([[undefined], [null], [new Error('no type')], ['text'], [{ type: 7 }]])('%p is no refusal', (error) => {
    expect(refusalOf(error)).toBeUndefined();
  });

  test('names a code that it does not know, and the subject', () => {
    expect(new BrokerRefusal(999, 't-0').message).toBe('error code 999: t-0');
  });
});
