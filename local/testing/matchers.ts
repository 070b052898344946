import { inspect, isDeepStrictEqual } from 'node:util';
import type { KafkaBatchResponse } from '../../functions/runtime/lambda.ts';
import type { StageOutputs } from './stage-run.ts';

/** What these matchers add to jest's `expect`, for a declaration in the user's project (see docs/how-to/test-a-pipeline.md). */
export interface MillraceMatchers<R = void> {
  /** A record with this value was sent to this stage. */
  toHaveEmitted(stage: string, value: unknown): R;
  /** A message with this value was written to this topic. */
  toHaveSunk(topic: string, value: unknown): R;
  /** A dead letter with this error code was written; of this stage, if one is named. */
  toHaveDeadLetter(code: string, stage?: string): R;
  /** The handler reported no failed partition. */
  toHaveSucceeded(): R;
}

interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

interface MatcherContext {
  readonly isNot?: boolean;
  readonly equals?: (a: unknown, b: unknown) => boolean;
}

/**
 * Custom matchers for results of `runStage` and `runPipeline`. Asymmetric matchers (`expect.objectContaining` …) work inside values.
 *
 * @example expect.extend(millraceMatchers); expect(run).toHaveSunk('totals', { key: 'a', count: 2 });
 */
export const millraceMatchers = {
  toHaveEmitted(this: MatcherContext, run: StageOutputs, stage: string, value: unknown): MatcherResult {
    const what = `records sent to stage '${stage}'`;
    const records = run.emitted[stage];
    if (!records) return unknownName(this, value, `${what}, but there is no such stage behind another, only ${namesOf(run.emitted)}`);
    return among(
      this,
      records.map((record) => record.value),
      value,
      what,
    );
  },
  toHaveSunk(this: MatcherContext, run: StageOutputs, topic: string, value: unknown): MatcherResult {
    const what = `messages of topic '${topic}'`;
    const messages = run.sinks[topic];
    if (!messages) return unknownName(this, value, `${what}, but the pipeline writes to no such topic, only to ${namesOf(run.sinks)}`);
    return among(
      this,
      messages.map((message) => message.value),
      value,
      what,
    );
  },
  toHaveDeadLetter(this: MatcherContext, run: StageOutputs, code: string, stage?: string): MatcherResult {
    const letters = run.deadLetters.filter((letter) => stage === undefined || letter.stage === stage);
    return among(
      this,
      letters.map((letter) => letter.code),
      code,
      `codes of dead letters${stage === undefined ? '' : ` of stage '${stage}'`}`,
    );
  },
  toHaveSucceeded(this: MatcherContext, run: { readonly response: KafkaBatchResponse }): MatcherResult {
    const { batchItemFailures } = run.response;
    return {
      pass: batchItemFailures.length === 0,
      message: () =>
        this.isNot === true
          ? 'expected failed partitions, but the whole batch succeeded'
          : `these partitions failed: ${JSON.stringify(batchItemFailures)}`,
    };
  },
};

function among(
  { equals = isDeepStrictEqual, isNot }: MatcherContext,
  values: readonly unknown[],
  wanted: unknown,
  what: string,
): MatcherResult {
  const list = values.map((value) => `\n  ${show(value)}`).join('');
  const count = values.length === 0 ? 'are none' : `${values.length === 1 ? 'is' : 'are'} ${values.length}:`;
  return {
    pass: values.some((value) => equals(value, wanted)),
    message: () => `expected ${show(wanted)} ${isNot === true ? 'not to be' : 'to be'} among the ${what}; there ${count}${list}`,
  };
}

/** Fails, inverted or not: nothing is ever found under a name that does not exist. */
function unknownName({ isNot }: MatcherContext, wanted: unknown, rest: string): MatcherResult {
  return { pass: isNot === true, message: () => `expected ${show(wanted)} ${isNot === true ? 'not to be' : 'to be'} among the ${rest}` };
}

function namesOf(table: Readonly<Record<string, unknown>>): string {
  return Object.keys(table).join(', ') || 'none';
}

/** As JSON; as Node prints it where that says more, as of an asymmetric matcher. */
function show(value: unknown): string {
  const isMatcher = typeof value === 'object' && value !== null && 'asymmetricMatch' in value;
  return isMatcher || value === undefined ? inspect(value, { breakLength: Infinity }) : JSON.stringify(value);
}
