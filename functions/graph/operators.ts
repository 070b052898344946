import { broadcastStates } from './broadcast-shape.ts';
import { intervalStates } from './interval-shape.ts';
import type { LogicalGraph, LogicalNode, SourceShape } from './logical-graph.ts';
import { slug } from './names.ts';
import type { StateShape } from './stage-plan.ts';
import { toStateShape } from './state-shape.ts';
import { windowStates } from './window-shape.ts';

/** The states that an operator keeps, as the plan and the lock file name them. */
export function statesOf(node: LogicalNode): readonly StateShape[] {
  switch (node.kind) {
    case 'reduce':
      return [{ name: '$reduce', kind: 'value', type: 'unknown' }];
    case 'aggregate':
      return [{ name: `$${node.aggregate.of}`, kind: 'value', type: aggregateType(node.aggregate) }];
    case 'process':
      return Object.values(node.process.states).map(toStateShape);
    case 'window':
    case 'coGroup':
      return windowStates(node.window);
    case 'broadcastProcess':
      return broadcastStates(node.broadcastProcess);
    case 'temporalJoin':
      return TEMPORAL_STATES;
    case 'intervalJoin':
      return intervalStates(node.interval);
    case 'coProcess':
      return Object.values(node.coProcess.states).map(toStateShape);
    default:
      return [];
  }
}

/** Records that wait, and versions with the list of their times. */
const TEMPORAL_STATES: readonly StateShape[] = [
  { name: '$left', kind: 'list', type: 'elements' },
  { name: '$times', kind: 'value', type: 'list<number>' },
  { name: '$versions', kind: 'map', type: 'number, version' },
];

/** Another field makes another type: sums of one field must not go on as sums of another. */
function aggregateType(aggregate: { readonly of: string; readonly field?: string }): string {
  return aggregate.field === undefined ? 'number' : `${aggregate.of}(${aggregate.field})`;
}

/** Whether a source's records have an end. */
export function isBounded({ kind, bounded, stop }: SourceShape): boolean {
  return kind === 'feed' ? bounded === true : stop !== undefined;
}

/** True if the operator keeps anything between records: state, or timers. */
export function isStateful(node: LogicalNode): boolean {
  return statesOf(node).length > 0 || hasTimers(node);
}

/** True if user code of the operator is called back by timers. */
export function hasTimers(node: LogicalNode): boolean {
  if (node.kind === 'coProcess') return node.coProcess.onTimer !== undefined;
  if (node.kind === 'broadcastProcess') return node.broadcastProcess.onTimer !== undefined;
  return node.kind === 'process' && node.process.onTimer !== undefined;
}

type Kind = LogicalNode['kind'];

/** Operators of two inputs that keep something. */
const STATEFUL_PAIRS: readonly Kind[] = ['coProcess', 'coGroup', 'intervalJoin', 'temporalJoin', 'broadcastProcess'];
const TWO_INPUTS: readonly Kind[] = ['coMap', 'coFlatMap', ...STATEFUL_PAIRS];

/** True if the operator tells the records of its two inputs apart. */
export function hasTwoInputs(node: LogicalNode): boolean {
  return TWO_INPUTS.includes(node.kind);
}

const WITH_SIDE_OUTPUTS: readonly Kind[] = ['process', 'window', ...STATEFUL_PAIRS];

/** True if the operator can put records out under tags. */
export function hasSideOutputs(node: LogicalNode): boolean {
  return WITH_SIDE_OUTPUTS.includes(node.kind);
}

const KEYED: readonly Kind[] = ['reduce', 'aggregate', 'process', 'window', ...STATEFUL_PAIRS];

/** True if the operator works under the key of the keyBy before it. */
export function usesKey(node: LogicalNode): boolean {
  return KEYED.includes(node.kind);
}

/** The uid typed by the user or, for what keeps state, made from the name that the user typed. */
export function uidOf(node: LogicalNode): string | undefined {
  if (node.uid !== undefined || !isStateful(node)) return node.uid;
  return node.name === undefined ? undefined : slug(node.name);
}

/** What people call the operator: its name, its uid, or what it is; of a sink always where it writes to. */
export function titleOf(node: LogicalNode): string {
  const label = labelOf(node);
  const name = node.name ?? node.uid;
  if (name === undefined) return label;
  return node.kind === 'sink' ? `${name} (${label})` : name;
}

/** What the operator is: `sum(delay)`, `topic flights`. */
function labelOf(node: LogicalNode): string {
  if (node.kind === 'aggregate') return node.aggregate.of === 'count' ? 'count' : `${node.aggregate.of}(${node.aggregate.field})`;
  if (node.kind === 'window' || node.kind === 'coGroup') return node.window.label;
  if (node.kind === 'temporalJoin') return node.temporalJoin.type === 'left' ? 'left temporal join' : 'temporal join';
  if (node.kind === 'intervalJoin') return `interval join, ${node.interval.lowerMs} to ${node.interval.upperMs} ms`;
  if (node.kind === 'sink') {
    const to = node.sink.topic ?? node.sink.folder ?? node.sink.collect;
    return to === undefined ? node.sink.kind : `${node.sink.kind} ${to}`;
  }
  return node.kind;
}

/** Where an operator stands, for messages: `count() behind keyBy() behind source 'orders'`. */
export function placeOf(graph: LogicalGraph, node: LogicalNode): string {
  const own = node.uid === undefined ? `${methodOf(node)}()` : `${methodOf(node)}() '${node.uid}'`;
  if (node.kind === 'source') return `source '${node.uid ?? '?'}'`;
  let input = node.inputs[0] && graph.nodes[node.inputs[0].node];
  // The one key of a windowAll is no call of the user's.
  if (node.kind === 'window' && node.window.all) input = input?.inputs[0] && graph.nodes[input.inputs[0].node];
  return input === undefined || input.id >= node.id ? own : `${own} behind ${placeOf(graph, input)}`;
}

/** Calls that are not named as the kind of their node. */
const METHODS: Partial<Record<LogicalNode['kind'], string>> = {
  watermarks: 'assignTimestampsAndWatermarks',
  coMap: 'connect().map',
  coFlatMap: 'connect().flatMap',
  coProcess: 'connect().process',
  broadcastProcess: 'connect().process',
};

/** The call that made the node. */
function methodOf(node: LogicalNode): string {
  if (node.kind === 'aggregate') return node.aggregate.of;
  if (node.kind === 'coGroup') return node.call;
  if (node.kind === 'window') return node.window.all ? 'windowAll' : 'window';
  if (node.kind === 'sink') return node.sink.kind === 'print' ? 'print' : 'sinkTo';
  return METHODS[node.kind] ?? node.kind;
}
