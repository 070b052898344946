import { expect, test } from '@jest/globals';
import { json, kafka, pipeline, valueState } from '../../../../functions/index.ts';
import { type Fault, runPipeline } from '../../../../local/testing.ts';

let draws = 0;

/** Marks each order with a number that no second run would give, counts marks by key, and writes marks to a topic. */
function marking(journaled: boolean) {
  return pipeline('marking', { parallelism: 1 }, (env) => {
    const marked = env
      .fromSource(kafka.source({ topic: 'orders', value: json<{ id: string }>() }), { uid: 'orders' })
      .map(({ id }) => ({ id, mark: draws++ }));
    if (journaled) marked.journal();
    marked.sinkTo(kafka.sink({ topic: 'marks', value: json(), key: ({ id }) => id }));
    marked.print();
    marked
      .keyBy(({ id }) => id)
      .process({
        state: { marks: valueState('marks', { default: [] as number[] }) },
        processElement({ mark }, ctx) {
          ctx.state.marks.update([...ctx.state.marks.value(), mark]);
          return [{ id: ctx.key, marks: ctx.state.marks.value() }];
        },
      })
      .uid('seen')
      .sinkTo(kafka.sink({ topic: 'seen', value: json(), key: ({ id }) => id }));
  });
}

const input = { orders: [{ id: 'a' }, { id: 'b' }] };

/** What the topic says of each order, and what the next stage has counted. */
async function play(
  journaled: boolean,
  faults: readonly Fault[],
): Promise<{ written: unknown[]; seen: unknown[]; printed: readonly string[] }> {
  const { sinks, printed } = await runPipeline(marking(journaled), { input, faults, partitions: 1, determinism: journaled });
  return { written: (sinks['marks'] ?? []).map(({ value }) => value), seen: (sinks['seen'] ?? []).map(({ value }) => value), printed };
}

function marksOf(written: readonly unknown[]): unknown[] {
  return [...new Set(written.map((value) => JSON.stringify(value)))].map((text) => JSON.parse(text));
}

test.each<[string, Fault]>([
  ['before it publishes', { crash: 'after-commit', nth: 1 }],
  ['between two appends', { crash: 'after-publish', nth: 1 }],
  ['with an append of unknown outcome', { lose: 'append', nth: 1 }],
  ['and a batch of duplicates follows', { batch: 'duplicate', nth: 1 }],
])('a journal stage that crashes %s puts out what it has committed, and no other', async (_, fault) => {
  const { written, seen, printed } = await play(true, [fault]);

  const marks = marksOf(written) as { id: string; mark: number }[];
  expect(marks.map(({ id }) => id).sort()).toEqual(['a', 'b']);
  expect(seen).toEqual(expect.arrayContaining(marks.map(({ id, mark }) => ({ id, marks: [mark] }))));
  expect(printed).toEqual(expect.arrayContaining(marks.map((mark) => JSON.stringify(mark))));
});

test('without a journal the same crash writes two answers', async () => {
  const { written } = await play(false, [{ crash: 'after-publish', nth: 2 }]);

  expect(marksOf(written).length).toBeGreaterThan(2);
});
