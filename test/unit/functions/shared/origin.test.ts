import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { describeOrigin, parseOrigin, taskName } from '../../../../functions/shared/origin.ts';

const count = fc.maxSafeNat();

test('an origin is read back from its text, whatever the names', () => {
  const parts = fc.record({
    stage: fc.stringMatching(/^[\w-]{1,20}$/),
    topic: fc.stringMatching(/^[\w.-]{1,30}$/),
    partition: count,
    generation: count,
    offset: count,
    ordinal: count,
    emission: count,
  });
  fc.assert(
    fc.property(parts, (origin) => {
      const task = taskName(origin.stage, origin.topic, origin.partition, origin.generation);

      expect(parseOrigin(describeOrigin(task, origin))).toEqual(origin);
    }),
  );
});

test.each([
  '',
  'total/orders-3@1',
  'total/orders@1:1.2.3',
  'total/orders-3:1.2.3',
  'clock:1.2.3',
  'to tal/orders-3@1:1.2.3',
  'total/orders-3@1:1.2.3.4',
  'total/orders-3@1:-1.2.3',
  'total/orders-3@1:9007199254740992.2.3',
  'total/orders-3@1:17 event timer 5 of key a',
])('%j is no origin of a record', (text) => {
  expect(parseOrigin(text)).toBeUndefined();
});
