/**
 * Cutting changes where operators run, never what they are connected to. Random pipelines are cut, and the connections are put together
 * again from the plan: through chains, channels and tags they must be those of the logical graph.
 */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { DataStream } from '../../../../functions/api/data-stream.ts';
import { pipeline, type Pipeline } from '../../../../functions/api/pipeline.ts';
import { mapState } from '../../../../functions/api/state-descriptors.ts';
import { Types } from '../../../../functions/api/types.ts';
import type { LogicalEdge, LogicalGraph, LogicalNode } from '../../../../functions/graph/logical-graph.ts';
import { planPipeline } from '../../../../functions/graph/plan.ts';
import type { OperatorEdge, PipelinePlan, StagePlan } from '../../../../functions/graph/stage-plan.ts';

interface Step {
  readonly kind: 'source' | 'map' | 'keyed' | 'rekeyed' | 'union' | 'connected' | 'joined' | 'broadcast' | 'hop' | 'parallel';
  readonly of: number;
  readonly and: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('source', 'map', 'keyed', 'rekeyed', 'union', 'connected', 'joined', 'broadcast', 'hop', 'parallel'),
  of: fc.nat(),
  and: fc.nat(),
});

function pipelineOf(steps: readonly Step[]): Pipeline {
  return pipeline('p', (env) => {
    const streams: DataStream<number>[] = [env.fromElements(1)];
    const at = (index: number): DataStream<number> => streams[index % streams.length]!;
    for (const [index, { kind, of, and }] of steps.entries()) {
      const stream = at(of);
      if (kind === 'source') streams.push(env.fromElements(index));
      if (kind === 'map') streams.push(stream.map((n) => n));
      if (kind === 'keyed')
        streams.push(
          stream
            .keyBy((n) => n)
            .reduce((n) => n)
            .uid(`uid-${index}`),
        );
      if (kind === 'rekeyed')
        streams.push(
          stream
            .keyBy((n) => n)
            .keyBy((n) => -n)
            .filter(() => true),
        );
      if (kind === 'union') streams.push(stream.union(at(and)));
      if (kind === 'connected') streams.push(stream.connect(at(and)).map({ map1: (n) => n, map2: (n) => -n }));
      if (kind === 'joined')
        streams.push(
          stream
            .keyBy((n) => n)
            .connect(at(and).keyBy((n) => -n))
            .process({ processElement1: (n) => [n], processElement2: (n) => [n], onTimer: () => [] })
            .uid(`uid-${index}`),
        );
      if (kind === 'broadcast')
        streams.push(
          stream
            .connect(at(and).broadcast(mapState('all', Types.string, Types.number)))
            .process({ processElement: (n) => [n], processBroadcastElement: (n) => [n] })
            .uid(`uid-${index}`),
        );
      if (kind === 'hop') streams.push(stream.hop('kafka'));
      if (kind === 'parallel') streams.push(stream.map((n) => n).setParallelism(1 + (and % 3)));
    }
    for (const stream of streams) stream.print();
  });
}

/** Connections between operators that do something, as `from->to`, sorted; with repetition, as a union may name a stream twice. */
function logicalConnections(graph: LogicalGraph): readonly string[] {
  const behind = (edge: LogicalEdge): readonly number[] => {
    const node = graph.nodes[edge.node]!;
    return ['keyBy', 'union', 'hop'].includes(node.kind) ? node.inputs.flatMap(behind) : [node.id];
  };
  const operators = graph.nodes.filter(({ kind }) => !['keyBy', 'union', 'hop', 'source'].includes(kind));
  const to = ({ id, kind }: LogicalNode, input: number): string =>
    ['coMap', 'coProcess', 'broadcastProcess'].includes(kind) ? `${id}.${input}` : `${id}`;
  return operators
    .flatMap((node) => node.inputs.flatMap((edge, input) => behind(edge).map((from) => `${from}->${to(node, input)}`)))
    .sort();
}

function plannedConnections(plan: PipelinePlan): readonly string[] {
  const byId = new Map(plan.stages.map((stage) => [stage.id, stage]));
  const behind = (stage: StagePlan, edge: OperatorEdge): readonly number[] => {
    if ('node' in edge) return [edge.node];
    if (stage.input.kind === 'source') return [stage.input.node];
    const writers = stage.input.upstreams.flatMap(({ stage: id }) => {
      const writer = byId.get(id)!;
      return writer.outputs
        .filter(({ channel, tag }) => channel === stage.id && tag === edge.input)
        .map(({ from }) => [writer, from] as const);
    });
    expect(writers).toHaveLength(1);
    return writers.flatMap(([writer, from]) => behind(writer, from));
  };
  return plan.stages
    .flatMap((stage) =>
      stage.operators.flatMap(({ node, inputs, secondInputs }) => {
        const connect = (edges: readonly OperatorEdge[], to: string): readonly string[] =>
          edges.flatMap((edge) => behind(stage, edge)).map((from) => `${from}->${to}`);
        if (!secondInputs) return connect(inputs, `${node}`);
        return [...connect(inputs, `${node}.0`), ...connect(secondInputs, `${node}.1`)];
      }),
    )
    .sort();
}

function expectConsistent(plan: PipelinePlan): void {
  expect(new Set(plan.stages.map(({ id }) => id)).size).toBe(plan.stages.length);
  const partitions = new Map(plan.channels.map((channel) => [channel.id, channel.partitions]));
  for (const stage of plan.stages) {
    expect(partitions.get(stage.id) ?? null).toBe(stage.input.kind === 'channel' ? stage.parallelism : null);
    expect(stage.fenced).toBe(stage.input.kind === 'channel');
    for (const output of stage.outputs) expect(output.partitions).toBe(partitions.get(output.channel));
    const earlier = new Set<number>();
    for (const { node, inputs, secondInputs = [] } of stage.operators) {
      for (const edge of [...inputs, ...secondInputs]) if ('node' in edge) expect(earlier.has(edge.node)).toBe(true);
      earlier.add(node);
    }
  }
}

test('a plan connects what the graph connects', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const graph = pipelineOf(steps).build();
      const plan = planPipeline(graph);

      expect(plannedConnections(plan)).toEqual(logicalConnections(graph));
      expectConsistent(plan);
      expect(JSON.stringify(planPipeline(pipelineOf(steps).build()))).toBe(JSON.stringify(plan));
    }),
    { numRuns: 200 },
  );
});
