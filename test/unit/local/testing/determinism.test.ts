/** The check is on unless a test says otherwise, and its error names the operator to look at. */
import { describe, expect, test } from '@jest/globals';
import { pipeline, valueState } from '../../../../functions/index.ts';
import { runPipeline } from '../../../../local/testing.ts';

const NUMBERS = [1, 2, 3, 4];
let calls = 0;

const SUSPECTS = {
  'Math.random in a map': [
    "operator 'dice' emitted other records",
    pipeline('p', (env) => {
      env
        .fromCollection(NUMBERS)
        .map((n) => n + Math.random())
        .name('dice')
        .print();
    }),
  ],
  'performance.now in a flatMap behind a keyBy': [
    "operator 'clock' emitted other records",
    pipeline('p', (env) => {
      env
        .fromCollection(NUMBERS)
        .keyBy((n) => n % 2)
        .reduce((a, b) => a + b)
        .uid('sum')
        .flatMap((n) => [n, performance.now()])
        .name('clock')
        .print();
    }),
  ],
  'a counter outside of a filter': [
    "operator 'every second' emitted other records",
    pipeline('p', (env) => {
      env
        .fromCollection([1, 2, 3])
        .filter(() => ++calls % 2 === 0)
        .name('every second')
        .print();
    }),
  ],
  'Math.random in a process function': [
    "operator 'draw' emitted other records",
    pipeline('p', (env) => {
      env
        .fromCollection(NUMBERS)
        .keyBy((n) => n)
        .process({ processElement: (n) => [n * Math.random()] })
        .uid('draw')
        .print();
    }),
  ],
  'Date.now in a timer': [
    "operator 'late' emitted other records",
    pipeline('p', (env) => {
      env
        .fromCollection(NUMBERS)
        .keyBy((n) => n)
        .process({
          processElement: (_, ctx) => ctx.timerService.registerEventTimeTimer(1),
          onTimer: () => [`${Date.now()} ${performance.now()}`],
        })
        .uid('late')
        .print();
    }),
  ],
  'Math.random in a keyBy': [
    "the keyBy before 'sum' returned other keys",
    pipeline('p', (env) => {
      env
        .fromCollection(NUMBERS)
        .keyBy(() => Math.floor(Math.random() * 1e9))
        .reduce((a, b) => a + b)
        .uid('sum')
        .print();
    }),
  ],
  'Math.random that only the state sees': [
    "the state of 'sum' came out different",
    pipeline('p', (env) => {
      env
        .fromCollection(NUMBERS)
        .keyBy((n) => n % 2)
        .process({
          state: { noise: valueState('noise', { default: 0 }) },
          processElement: (_, ctx) => ctx.state.noise.update(Math.random()),
        })
        .uid('sum')
        .print();
    }),
  ],
} as const;

describe.each(Object.entries(SUSPECTS))('%s', (_, [what, suspect]) => {
  test('is found', async () => {
    const error = await runPipeline(suspect).catch((thrown: unknown) => thrown);

    expect(error).toMatchObject({ code: 'MILLRACE_NOT_DETERMINISTIC', message: expect.stringContaining(what) });
  });

  test('is let through where the check is off', async () => {
    await expect(runPipeline(suspect, { determinism: false })).resolves.toMatchObject({ deadLetters: [] });
  });
});
