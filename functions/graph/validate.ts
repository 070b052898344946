import { resolve } from 'node:path';
import { type ErrorCode, MillraceError } from '../shared/errors.ts';
import type { LogicalEdge, LogicalGraph, LogicalNode, NodeOf, PipelineOptions } from './logical-graph.ts';
import { hasTwoInputs, isStateful, placeOf, uidOf } from './operators.ts';
import { readsTopic } from './topic-patterns.ts';
import { checkWindow } from './window-rules.ts';

/**
 * Everything about a graph that can be wrong before it is cut into stages. What the API has refused already is checked again, as a
 * graph may be made by hand.
 *
 * @throws MILLRACE_PIPELINE_EMPTY, MILLRACE_CYCLE, MILLRACE_STREAM_UNUSED, MILLRACE_STATE_WITHOUT_KEY, MILLRACE_UID_MISSING,
 * MILLRACE_UID_DUPLICATE, MILLRACE_OPTION_INVALID
 */
export function validateGraph(graph: LogicalGraph, options: Required<PipelineOptions>): void {
  checkSinks(graph);
  checkEdges(graph);
  checkTopicCycles(graph);
  checkUnused(graph);
  for (const node of graph.nodes) {
    checkKeyed(graph, node);
    checkUid(graph, node);
    checkParallelism(graph, node, options.maxParallelism);
    if (node.kind === 'window' || node.kind === 'coGroup') checkWindowNode(graph, node);
    if (node.kind === 'intervalJoin') checkInterval(graph, node);
    if (node.kind === 'temporalJoin') checkTemporal(graph, node);
    if (node.kind === 'broadcastProcess') checkBroadcast(graph, node);
  }
  checkDuplicateUids(graph);
  checkOutputs(graph);
}

function fail(code: ErrorCode, message: string): never {
  throw new MillraceError(code, message);
}

function checkSinks(graph: LogicalGraph): void {
  if (graph.nodes.some((node) => node.kind === 'sink')) return;
  fail('MILLRACE_PIPELINE_EMPTY', `pipeline '${graph.pipeline}' has no sink, so nothing would come out: add .sinkTo(…) or .print()`);
}

/** Nodes are recorded after their inputs; an edge from a later one would be a loop. */
function checkEdges(graph: LogicalGraph): void {
  for (const node of graph.nodes) {
    for (const edge of node.inputs) {
      if (graph.nodes[edge.node] === undefined)
        fail('MILLRACE_STREAM_FOREIGN', `${placeOf(graph, node)} reads a stream of another pipeline`);
      if (edge.node >= node.id) fail('MILLRACE_CYCLE', `${placeOf(graph, node)} reads its own output: a pipeline cannot have loops`);
    }
  }
}

/** A pipeline that reads a topic which it feeds itself never ends, and its records multiply. */
function checkTopicCycles(graph: LogicalGraph): void {
  for (const source of graph.nodes) {
    if (source.kind !== 'source') continue;
    const fed = topicsFedBy(graph, source, new Set());
    const topic = [...fed].find((name) => readsTopic(source.source, name));
    if (topic === undefined) continue;
    fail(
      'MILLRACE_CYCLE',
      `source '${source.uid ?? '?'}' reads topic '${topic}', which its own records are written to: write to another topic`,
    );
  }
}

/** Topics that records of this source reach, also through sources of the same pipeline that read what its sinks write. */
function topicsFedBy(graph: LogicalGraph, source: NodeOf<'source'>, seen: Set<number>): Set<string> {
  seen.add(source.id);
  const topics = new Set<string>();
  for (const sink of reachedFrom(graph, source)) if (sink.sink.topic !== undefined) topics.add(sink.sink.topic);
  for (const next of graph.nodes) {
    if (next.kind !== 'source' || seen.has(next.id) || ![...topics].some((topic) => readsTopic(next.source, topic))) continue;
    for (const topic of topicsFedBy(graph, next, seen)) topics.add(topic);
  }
  return topics;
}

function reachedFrom(graph: LogicalGraph, source: LogicalNode): readonly NodeOf<'sink'>[] {
  const reached = new Set([source.id]);
  const sinks: NodeOf<'sink'>[] = [];
  for (const node of graph.nodes) {
    if (!node.inputs.some((edge) => reached.has(edge.node))) continue;
    reached.add(node.id);
    if (node.kind === 'sink') sinks.push(node);
  }
  return sinks;
}

/** Nothing is dropped in silence: an operator whose output goes nowhere is a mistake, or can be removed. */
function checkUnused(graph: LogicalGraph): void {
  const used = new Set(graph.nodes.flatMap((node) => node.inputs.map((edge) => edge.node)));
  const unused = graph.nodes.find((node) => node.kind !== 'sink' && !used.has(node.id));
  if (unused === undefined) return;
  fail('MILLRACE_STREAM_UNUSED', `nothing reads the output of ${placeOf(graph, unused)}: add .sinkTo(…) or .print() to it, or remove it`);
}

function checkKeyed(graph: LogicalGraph, node: LogicalNode): void {
  if (hasTwoInputs(node) && node.kind !== 'broadcastProcess') {
    checkKeys(graph, node);
    return;
  }
  const needsKey = node.kind === 'broadcastProcess' ? needsKeyedStream(node) : isStateful(node);
  const [input] = node.inputs;
  if (!needsKey || (input && isKeyBy(graph, input))) return;
  fail('MILLRACE_STATE_WITHOUT_KEY', `${placeOf(graph, node)} keeps state, but its stream has no key: call .keyBy() before it`);
}

/** Records of two streams that are to meet need a key of both. */
function checkKeys(graph: LogicalGraph, node: LogicalNode): void {
  const keyed = node.inputs.filter((input) => isKeyBy(graph, input)).length;
  if (keyed === 2 || (keyed === 0 && !isStateful(node))) return;
  const instead = node.kind === 'coGroup' ? 'call .where(key).equalTo(key) before .window()' : 'call .keyBy() on both before it';
  fail('MILLRACE_STATE_WITHOUT_KEY', `${placeOf(graph, node)} needs a key of both streams: ${instead}`);
}

function isKeyBy(graph: LogicalGraph, { node }: LogicalEdge): boolean {
  return graph.nodes[node]?.kind === 'keyBy';
}

/** What is broadcast belongs to no key. */
function needsKeyedStream({ broadcastProcess }: NodeOf<'broadcastProcess'>): boolean {
  return Object.keys(broadcastProcess.states).length > 0 || broadcastProcess.onTimer !== undefined;
}

function checkUid(graph: LogicalGraph, node: LogicalNode): void {
  if (uidOf(node) !== undefined || (!isStateful(node) && node.kind !== 'source')) return;
  const named = node.name === undefined ? '' : ` (no uid can be made from its name ${JSON.stringify(node.name)})`;
  fail(
    'MILLRACE_UID_MISSING',
    `${placeOf(graph, node)} keeps state under its uid, and has none${named}: add .uid('…') right behind it, and never change it`,
  );
}

function checkParallelism(graph: LogicalGraph, node: LogicalNode, most: number): void {
  if (node.parallelism === undefined) return;
  if (node.kind === 'source' && node.source.kind === 'topic') {
    fail('MILLRACE_OPTION_INVALID', `source '${node.uid ?? '?'}' has a parallelism, but its topic decides it: remove .setParallelism()`);
  }
  if (node.parallelism <= most) return;
  fail(
    'MILLRACE_OPTION_INVALID',
    `${placeOf(graph, node)} has parallelism ${node.parallelism}: give at most maxParallelism, which is ${most}`,
  );
}

function checkWindowNode(graph: LogicalGraph, node: NodeOf<'window' | 'coGroup'>): void {
  const place = placeOf(graph, node);
  const { all, assigner, lateTag, trigger } = node.window;
  if (node.kind === 'coGroup' && assigner.kind === 'global' && trigger === undefined)
    fail('MILLRACE_OPTION_INVALID', `${place} needs windows that end: call .window(…) before .apply(), or join with .intervalJoin()`);
  checkWindow(node.window, place);
  if (all && node.parallelism !== 1)
    fail('MILLRACE_OPTION_INVALID', `${place} works on the whole stream in one task: remove .setParallelism()`);
  checkLateTag(graph, node, lateTag);
}

function checkInterval(graph: LogicalGraph, node: NodeOf<'intervalJoin'>): void {
  const { lowerMs, upperMs, leftLateTag, rightLateTag } = node.interval;
  if (Number.isNaN(lowerMs))
    fail(
      'MILLRACE_OPTION_INVALID',
      `${placeOf(graph, node)} has no bounds, and its state would grow for ever: call .between(lower, upper)`,
    );
  if (lowerMs > upperMs)
    fail(
      'MILLRACE_OPTION_INVALID',
      `${placeOf(graph, node)} pairs records that are from ${lowerMs} to ${upperMs} ms later, and no time is between: give the smaller bound first`,
    );
  checkLateTag(graph, node, leftLateTag);
  checkLateTag(graph, node, rightLateTag);
}

function checkTemporal(graph: LogicalGraph, node: NodeOf<'temporalJoin'>): void {
  const type: string = node.temporalJoin.type;
  if (type !== 'inner' && type !== 'left')
    fail('MILLRACE_OPTION_INVALID', `${placeOf(graph, node)} has type ${JSON.stringify(type)}: give 'inner' or 'left'`);
  checkLateTag(graph, node, node.temporalJoin.lateTag);
}

function checkBroadcast(graph: LogicalGraph, node: NodeOf<'broadcastProcess'>): void {
  const { broadcastStates: states } = node.broadcastProcess;
  const isMap = (state: { readonly kind?: string } | undefined): boolean => state?.kind === 'map';
  if (states.length === 0 || !states.every(isMap))
    fail(
      'MILLRACE_OPTION_INVALID',
      `${placeOf(graph, node)} has no map state of what is broadcast: give .broadcast(mapState('rules', Types.string, Types.json()))`,
    );
  const names = states.map(({ name }) => name);
  const twice = states.find(({ name }) => names.indexOf(name) !== names.lastIndexOf(name));
  if (twice !== undefined)
    fail('MILLRACE_STATE_DUPLICATE', `${placeOf(graph, node)} broadcasts into two states named '${twice.name}': give each its own name`);
}

function checkLateTag(graph: LogicalGraph, node: LogicalNode, tag: string | undefined): void {
  const isRead = graph.nodes.some(({ inputs }) => inputs.some((edge) => edge.node === node.id && edge.side === tag));
  if (tag === undefined || isRead) return;
  fail(
    'MILLRACE_STREAM_UNUSED',
    `${placeOf(graph, node)} puts late records out as '${tag}', and nothing reads them: add .getSideOutput(tag) to it`,
  );
}

/** The position that a task keeps in a folder is about one sink; and collected records are found by their name alone. */
function checkOutputs(graph: LogicalGraph): void {
  const taken = new Set<string>();
  for (const node of graph.nodes) {
    if (node.kind !== 'sink') continue;
    const { folder, collect } = node.sink;
    const output = folder === undefined ? collect && `collect('${collect}')` : `folder '${folder}'`;
    if (output === undefined) continue;
    const place = folder === undefined ? output : resolve(folder);
    if (taken.has(place))
      fail('MILLRACE_OPTION_INVALID', `two sinks write to ${output}: give each its own, or make one stream of both with .union()`);
    taken.add(place);
  }
}

function checkDuplicateUids(graph: LogicalGraph): void {
  const owners = new Map<string, LogicalNode>();
  for (const node of graph.nodes) {
    const uid = uidOf(node);
    if (uid === undefined) continue;
    const owner = owners.get(uid);
    if (owner !== undefined) {
      fail(
        'MILLRACE_UID_DUPLICATE',
        `uid '${uid}' is used twice, by ${placeOf(graph, owner)} and ${placeOf(graph, node)}: give each its own`,
      );
    }
    owners.set(uid, node);
  }
}
