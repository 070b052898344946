import type { LogicalGraph, LogicalNode, NodeOf } from '../graph/logical-graph.ts';
import type { OperatorEdge, OperatorPlan, StagePlan } from '../graph/stage-plan.ts';
import type { Emit, Operator, OperatorSetup, OperatorTable, TimerOperator } from '../operators/operator.ts';
import type { RecordContext } from '../operators/record-context.ts';
import type { OpenLivingState } from '../state/keyed-states.ts';
import { MillraceError } from '../shared/errors.ts';

/** Where a chain's records leave the stage. */
export interface ChainExits {
  /** Hands a record to the stage's output with this index. */
  readonly channel: (output: number, value: unknown) => void;
  /** Hands a record to the sink of this node. */
  readonly sink: (node: number, value: unknown) => void;
  /** Sees every record that an operator emits; for the determinism check. */
  readonly probe?: (node: number, value: unknown) => void;
}

/** Operators of a stage, wired. Synchronous; one record or timer at a time. */
export interface OperatorChain {
  /** Takes a record of the stage's input with this tag. */
  readonly input: (tag: number, value: unknown) => void;
  /** Operators with timers, in topological order. */
  readonly timers: readonly TimerOperator[];
}

/** How the stage opens its states that expire or have versions, if it has any. */
export interface LivingStates {
  readonly living?: OpenLivingState;
}

/** What a stage runs: its plan, the user's functions, and the operators around them. */
export interface StageCode {
  readonly stage: StagePlan;
  readonly graph: LogicalGraph;
  readonly operators: OperatorTable;
  /** @default - states that neither expire nor have versions */
  readonly states?: LivingStates;
}

type Targets = Map<string, Emit[]>;

/** Wires the stage's operators from the last to the first, so that each finds its consumers ready. */
export function buildChain({ stage, graph, operators }: StageCode, context: RecordContext, exits: ChainExits): OperatorChain {
  const targets: Targets = new Map();
  const timers: TimerOperator[] = [];
  for (const [index, output] of stage.outputs.entries()) {
    addTarget(targets, output.from, (value) => {
      exits.channel(index, value);
    });
  }
  for (const plan of [...stage.operators].reverse()) {
    const operator = instantiate(setupOf(plan, nodeOf(graph, plan.node), context, targets, exits), operators, exits);
    const { process, processSecond = process } = operator;
    // As records reach consumers in the order of the calls, one that is read twice comes to the first input first.
    for (const edge of plan.secondInputs ?? []) addTarget(targets, edge, processSecond);
    for (const edge of plan.inputs) addTarget(targets, edge, process);
    if (operator.timers) timers.unshift(operator.timers);
  }
  const inputs = new Map<number, Emit>();
  return {
    input: (tag, value) => {
      let emit = inputs.get(tag);
      if (!emit) inputs.set(tag, (emit = fanOut(targets.get(edgeName({ input: tag })) ?? [], context)));
      emit(value);
    },
    timers,
  };
}

function nodeOf(graph: LogicalGraph, id: number): LogicalNode {
  const node = graph.nodes[id];
  if (!node)
    throw new MillraceError('MILLRACE_PLAN_MISMATCH', `the plan names operator ${id}, which the pipeline does not have; plan it again`);
  return node;
}

function setupOf(
  plan: OperatorPlan,
  node: LogicalNode,
  context: RecordContext,
  targets: Targets,
  exits: ChainExits,
): OperatorSetup<LogicalNode['kind']> {
  const output = (edge: OperatorEdge): Emit => {
    const emit = fanOut(targets.get(edgeName(edge)) ?? [], context);
    const { probe } = exits;
    if (!probe) return emit;
    return (value) => {
      probe(plan.node, value);
      emit(value);
    };
  };
  const sides = new Map<string, Emit>();
  const side = (tag: string): Emit => {
    let emit = sides.get(tag);
    if (!emit) sides.set(tag, (emit = output({ node: plan.node, side: tag })));
    return emit;
  };
  return { node, plan, context, emit: output({ node: plan.node }), side };
}

function instantiate(setup: OperatorSetup<LogicalNode['kind']>, table: OperatorTable, exits: ChainExits): Operator {
  const { node, emit } = setup;
  switch (node.kind) {
    case 'sink':
      return sinkOperator(node, exits);
    case 'source':
    case 'union':
    case 'hop':
      return { process: emit }; // they only shape the plan
    default: {
      const create = table[node.kind];
      if (create) return create(setup as never);
      throw new MillraceError(
        'MILLRACE_PLAN_MISMATCH',
        `operator ${node.id} is a ${node.kind}, which this bundle was not built for; plan and bundle the pipeline again`,
      );
    }
  }
}

function sinkOperator(node: NodeOf<'sink'>, exits: ChainExits): Operator {
  return {
    process: (value) => {
      exits.sink(node.id, value);
    },
  };
}

function edgeName(edge: OperatorEdge): string {
  if ('input' in edge) return `input ${edge.input}`;
  return edge.side === undefined ? `${edge.node}` : `${edge.node} ${edge.side}`;
}

function addTarget(targets: Targets, edge: OperatorEdge, emit: Emit): void {
  const name = edgeName(edge);
  const list = targets.get(name);
  // Wired from the last operator to the first, but records reach the consumers in the order in which they were written.
  if (list) list.unshift(emit);
  else targets.set(name, [emit]);
}

/** Hands a record to every consumer; what one does to time and key is not seen by the next. */
function fanOut(consumers: readonly Emit[], context: RecordContext): Emit {
  const [first] = consumers;
  if (!first) return () => undefined;
  if (consumers.length === 1) return first;
  return (value) => {
    const { timestamp, key } = context;
    for (const consumer of consumers) {
      consumer(value);
      context.timestamp = timestamp;
      context.key = key;
    }
  };
}
