import { expect, test } from '@jest/globals';
import { pipeline } from '../../../../functions/api/pipeline.ts';
import { planPipeline } from '../../../../functions/graph/plan.ts';
import { mapOperator } from '../../../../functions/operators/map.ts';
import { RecordContext } from '../../../../functions/operators/record-context.ts';
import { buildChain } from '../../../../functions/runtime/operator-chain.ts';

const graph = pipeline('doubles', (env) => {
  env
    .fromElements(1, 2)
    .map((n) => n * 2)
    .filter((n) => n > 2)
    .print();
}).build();
const [stage] = planPipeline(graph).stages;
const exits = { channel: () => undefined, sink: () => undefined };

test('runs the operators of the table', () => {
  const seen: unknown[] = [];
  const operators = { map: mapOperator, filter: ({ emit }: { emit: (value: unknown) => void }) => ({ process: emit }) };

  const chain = buildChain({ stage: stage!, graph, operators }, new RecordContext(), {
    ...exits,
    sink: (_node, value) => seen.push(value),
  });
  chain.input(0, 1);

  expect(seen).toEqual([2]);
});

test('refuses a stage with an operator that its bundle does not hold', () => {
  const build = (): unknown => buildChain({ stage: stage!, graph, operators: { map: mapOperator } }, new RecordContext(), exits);

  expect(build).toThrow(expect.objectContaining({ code: 'MILLRACE_PLAN_MISMATCH', message: expect.stringContaining('is a filter') }));
});
