import { expect, test } from '@jest/globals';
import { LatencyHistogram } from '../../../local/latency-histogram.ts';

test('quantiles are true to a few per cent, from below a millisecond to hours', () => {
  const histogram = new LatencyHistogram();
  for (let i = 1; i <= 10_000; i++) histogram.add(i, 1);

  for (const q of [0.01, 0.5, 0.9, 0.99]) expect(Math.abs((histogram.quantile(q) ?? 0) / (q * 10_000) - 1)).toBeLessThan(0.04);
});

test('counts weigh, and a range is spread evenly', () => {
  const histogram = new LatencyHistogram();
  histogram.addRange(100, 200, 1000);
  expect(Math.abs((histogram.quantile(0.5) ?? 0) - 150)).toBeLessThan(10);

  histogram.add(1, 9000);
  expect(histogram.quantile(0.5)).toBeLessThan(2);
});

test('adds up with others', () => {
  const [a, b] = [new LatencyHistogram(), new LatencyHistogram()];
  a.add(1, 1);
  b.add(1000, 3);

  expect(a.plus([b]).quantile(0.5)).toBeGreaterThan(900);
  expect(a.quantile(0.5)).toBeLessThan(2);
});

test('without any there is no quantile; less than nothing is nothing', () => {
  const histogram = new LatencyHistogram();
  expect(histogram.quantile(0.5)).toBeUndefined();

  histogram.add(-5, 1);
  expect(histogram.quantile(0.99)).toBe(0);
});
