import { expect, test } from '@jest/globals';
import { pipeline } from '../../../../functions/api/pipeline.ts';
import { string } from '../../../../functions/codec/string.ts';
import * as kafka from '../../../../functions/connectors/kafka/index.ts';
import { planPipeline } from '../../../../functions/graph/plan.ts';
import { hasPatterns, matchesTopic, withMatchingTopics } from '../../../../functions/graph/topic-patterns.ts';

const graphOf = (pattern: RegExp | string) =>
  pipeline('p', (env) => {
    env.fromSource(kafka.source({ pattern, value: string() }), { uid: 'in' }).sinkTo(kafka.sink({ topic: 'out', value: string() }));
  }).build();

const topicsOf = (pattern: RegExp | string, topics: readonly string[]) => {
  const graph = withMatchingTopics(graphOf(pattern), { topics, ownPrefix: 'default.p.' });
  const input = planPipeline(graph).stages[0]?.input;
  return input?.kind === 'source' ? input.topics : undefined;
};

test.each([
  [/a|b/, 'ab', false],
  [/a|b/, 'b', true],
  [/A-\d+/i, 'a-12', true],
  [/a-\d+/, 'a-12x', false],
])('%p on the whole of %s: %p', (pattern, topic, expected) => {
  expect(matchesTopic(pattern, topic)).toBe(expected);
});

test('plans the topics that match, in the order of their names', () => {
  expect(hasPatterns(graphOf('in-.*'))).toBe(true);
  expect(topicsOf('in-.*', ['in-b', 'other', 'in-a', 'in-b', 'min-a'])).toEqual(['in-a', 'in-b']);
});

test("reads neither Kafka's own topics nor the pipeline's", () => {
  expect(topicsOf(/[^o].*/, ['__consumer_offsets', 'default.p.dlq', 'default.pq', 'a'])).toEqual(['a', 'default.pq']);
});

test('names source, pattern and topics where none matches', () => {
  expect(() => topicsOf('in-.*', ['x', 'y'])).toThrow(
    expect.objectContaining({
      code: 'MILLRACE_TOPIC_MISSING',
      message: expect.stringContaining("source 'in' reads topics /in-.*/, and no topic matches that; there are x, y"),
    }),
  );
  expect(() => topicsOf('in-.*', [])).toThrow(expect.objectContaining({ message: expect.stringContaining('there are none') }));
});

test('a plan without topics keeps the pattern', () => {
  const [stage] = planPipeline(graphOf(/in-.*/)).stages;

  expect(stage?.input).toMatchObject({ topics: [], pattern: '/in-.*/' });
});
