import { describe, expect, test } from '@jest/globals';
import { fuzz } from './harness.ts';
import type { FuzzTarget } from './target.ts';
import { APPENDS, FAILURES, STATE_REPLIES, STATE_REQUESTS, WIRE } from './targets/embedded.ts';
import { EVENTS, REQUESTS } from './targets/events.ts';
import { OFFSETS, SEGMENTS, STATE_FILE, TOPICS } from './targets/files.ts';
import { FRAMES } from './targets/frames.ts';
import { FETCHES, LZ4, RECORD_BATCHES, SNAPPY } from './targets/kafka.ts';
import { FENCE, JOURNAL, STATE, STORED } from './targets/state.ts';
import { JSON_RECORDS, TEXT_RECORDS, VALUE } from './targets/values.ts';

/** Inputs of each parser: most for what a stage reads with every batch. */
const PLAN: readonly (readonly [target: FuzzTarget, inputs: number])[] = [
  [EVENTS, 14_000],
  [FRAMES, 18_000],
  [VALUE, 8_000],
  [FENCE, 12_000],
  [STATE, 9_000],
  [STORED, 1_000],
  [JOURNAL, 6_000],
  [RECORD_BATCHES, 2_000],
  [LZ4, 500],
  [SNAPPY, 500],
  [FETCHES, 1_000],
  [JSON_RECORDS, 4_000],
  [TEXT_RECORDS, 2_000],
  [WIRE, 4_000],
  [STATE_REQUESTS, 3_000],
  [STATE_REPLIES, 2_000],
  [FAILURES, 1_000],
  [APPENDS, 3_000],
  [SEGMENTS, 4_000],
  [STATE_FILE, 3_000],
  [OFFSETS, 1_000],
  [TOPICS, 500],
  [REQUESTS, 500],
];

const SEED = Number(process.env['MILLRACE_SEED'] ?? 20_261_121);

test('all parsers together get 100,000 damaged inputs', () => {
  expect(PLAN.reduce((sum, [, inputs]) => sum + inputs, 0)).toBe(100_000);
});

describe('gives values or documented errors, soon and in little memory:', () => {
  test.each(PLAN.map(([target, inputs]) => [target.name, target, inputs] as const))('%s', (_name, target, inputs) => {
    const report = fuzz(target, inputs, SEED);

    expect(report.faults).toEqual([]);
    expect(report.inputs).toBe(inputs);
    // Damage that a parser never notices, or always at its front door, would test little.
    const refused = inputs - report.values;
    expect(report.values).toBeGreaterThan(inputs / 200);
    if (target.codes.length > 0) expect(refused).toBeGreaterThan(inputs / 200);
  });
});
