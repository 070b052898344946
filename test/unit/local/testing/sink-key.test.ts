import { expect, test } from '@jest/globals';
import { json, kafka, pipeline } from '../../../../functions/index.ts';
import { runPipeline } from '../../../../local/testing.ts';

interface Click {
  readonly id: number;
  readonly user: string | number;
}

const clicks: Click[] = Array.from({ length: 9 }, (_, id) => ({ id, user: id === 4 ? 5 : `u${id % 3}` }));

test.each(['at-least-once', 'exactly-once'] as const)(
  'a key that is no text makes a dead letter of its record alone: %s',
  async (delivery) => {
    const keyed = pipeline('keyed', { parallelism: 1 }, (env) => {
      env
        .fromSource(kafka.source({ topic: 'clicks', value: json<Click>() }), { uid: 'clicks' })
        .sinkTo(kafka.sink({ topic: 'out', value: json(), delivery, key: ({ user }) => user as string }));
    });

    const { sinks, deadLetters } = await runPipeline(keyed, { input: { clicks }, batchSize: 3 });

    const written = (sinks['out'] ?? []).map(({ value }) => (value as Click).id);
    expect(written.sort()).toEqual([0, 1, 2, 3, 5, 6, 7, 8]);
    expect(deadLetters).toEqual([
      expect.objectContaining({
        code: 'MILLRACE_VALUE_NOT_ENCODABLE',
        error: expect.stringContaining('key of a message for topic out is of type number'),
        value: { id: 4, user: 5 },
      }),
    ]);
  },
);
