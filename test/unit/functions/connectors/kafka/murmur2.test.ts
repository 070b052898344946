import { expect, test } from '@jest/globals';
import { murmur2 } from '../../../../../functions/connectors/kafka/murmur2.ts';

// Apache Kafka, UtilsTest.testMurmur2.
test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])('hashes %p as the Java client does', (text, hash) => {
  expect(murmur2(Buffer.from(text))).toBe(hash);
});
