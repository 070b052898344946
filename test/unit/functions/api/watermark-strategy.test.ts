import { expect, test } from '@jest/globals';
import { WatermarkStrategy } from '../../../../functions/api/watermark-strategy.ts';

test('a bounded strategy knows its bound, and keeps the timestamps of messages', () => {
  const strategy = WatermarkStrategy.forBoundedOutOfOrderness('5 seconds');

  expect(strategy.outOfOrdernessMs).toBe(5000);
  expect(strategy.timestamp).toBeUndefined();
  expect(WatermarkStrategy.forMonotonousTimestamps().outOfOrdernessMs).toBe(0);
});

test('an assigner makes a new strategy', () => {
  const bounded = WatermarkStrategy.forBoundedOutOfOrderness(10);
  const assigned = bounded.withTimestampAssigner((value: { time: number }, recordTimestamp) => value.time + (recordTimestamp ?? 0));

  expect(assigned.timestamp?.({ time: 1 }, 2)).toBe(3);
  expect(assigned.outOfOrdernessMs).toBe(10);
  expect(bounded.timestamp).toBeUndefined();
  expect(Object.isFrozen(assigned)).toBe(true);
});

test('a function of the user stays with a new assigner', () => {
  const custom = WatermarkStrategy.custom((value: { last: boolean }, timestamp) => (value.last ? timestamp : undefined));

  const assigned = custom.withTimestampAssigner((value: { last: boolean; time: number }) => value.time);

  expect(assigned.watermark?.({ last: true }, 7)).toBe(7);
  expect(assigned.watermark?.({ last: false }, 7)).toBeUndefined();
  expect(assigned.timestamp?.({ time: 1 }, 2)).toBe(1);
});

test('idleness stays with a new assigner, whatever came first', () => {
  const idle = WatermarkStrategy.forBoundedOutOfOrderness(5).withIdleness('2 seconds');
  const assigned = idle.withTimestampAssigner((value: { time: number }) => value.time);

  expect([idle.idlenessMs, assigned.idlenessMs, assigned.withIdleness(7).idlenessMs]).toEqual([2000, 2000, 7]);
  expect([assigned.outOfOrdernessMs, assigned.timestamp?.({ time: 3 }, undefined)]).toEqual([5, 3]);
});

test('wrong input is refused', () => {
  const refused = expect.objectContaining({ code: 'MILLRACE_OPTION_INVALID' });

  expect(() => WatermarkStrategy.forBoundedOutOfOrderness(-1)).toThrow(refused);
  expect(() => WatermarkStrategy.forMonotonousTimestamps().withIdleness(0)).toThrow(refused);
  expect(() => WatermarkStrategy.forMonotonousTimestamps().withIdleness('soon' as never)).toThrow(refused);
  expect(() => WatermarkStrategy.custom(5 as never)).toThrow(refused);
  expect(() => WatermarkStrategy.forMonotonousTimestamps().withTimestampAssigner('time' as never)).toThrow(refused);
});
