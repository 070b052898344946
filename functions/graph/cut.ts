import { MillraceError } from '../shared/errors.ts';
import type { LogicalEdge, LogicalGraph, LogicalNode, NodeOf, PipelineOptions } from './logical-graph.ts';
import { hasTwoInputs, isStateful, placeOf, usesKey } from './operators.ts';
import { type DraftOutput, StageDraft, type Tap } from './stage-draft.ts';
import type { OperatorEdge } from './stage-plan.ts';

/** What comes out of a node: records within a stage, or records that are on their way into a channel, which is opened when it is read. */
type Outlet =
  | { readonly kind: 'placed'; readonly taps: readonly Tap[] }
  | { readonly kind: 'sent'; readonly taps: readonly Tap[]; readonly boundary: LogicalNode; readonly keyNode: number | null };

/** Records on their way into a channel, and how they are spread there: by the keyBy `keyNode`, by their origin, or to all partitions. */
interface Writer extends Tap, Pick<DraftOutput, 'partitioner' | 'keyNode'> {}

/** Kinds that a promise of `keyedByRecordKey` outlives. */
const KEEPS_PARTITIONS: readonly LogicalNode['kind'][] = ['source', 'watermarks', 'map', 'filter', 'flatMap', 'process', 'union'];

/** Kinds before which a key is of no use. */
const MOVES_RECORDS: readonly LogicalNode['kind'][] = ['keyBy', 'union', 'hop'];

/** Cuts a valid graph into stages. @throws MILLRACE_WATERMARKS_MISPLACED */
export function cutIntoStages(graph: LogicalGraph, options: Required<PipelineOptions>): readonly StageDraft[] {
  return new Cutter(graph, options).cut();
}

/**
 * Goes through the nodes in order, each after its inputs. A stage ends where records must change their task: at a keyBy, a hop, a union of
 * several stages, two inputs, a change of parallelism. All else is chained to the stage that its input comes from. A keyBy, union or hop behind
 * another one of these writes straight into one channel: no stage only passes records on.
 */
class Cutter {
  private readonly graph: LogicalGraph;
  private readonly options: Required<PipelineOptions>;
  private readonly stages: StageDraft[] = [];
  private readonly outlets = new Map<number, Outlet>();
  /** Stages behind a boundary, by its node and parallelism. */
  private readonly behind = new Map<string, StageDraft>();
  /** Nodes that a source's promise of keyedByRecordKey still holds for, and that source. */
  private readonly promised = new Map<number, number>();
  /** The keyBy that used up a source's promise. */
  private readonly claims = new Map<number, NodeOf<'keyBy'>>();

  constructor(graph: LogicalGraph, options: Required<PipelineOptions>) {
    this.graph = graph;
    this.options = options;
  }

  cut(): readonly StageDraft[] {
    for (const node of this.graph.nodes) {
      this.promise(node);
      this.outlets.set(node.id, this.outletOf(node));
    }
    return this.stages;
  }

  private outletOf(node: LogicalNode): Outlet {
    switch (node.kind) {
      case 'source':
        return this.openSource(node);
      case 'keyBy':
        return this.keyBy(node);
      case 'union':
        return this.union(node);
      case 'hop':
        return { kind: 'sent', taps: this.tapsOf(node.inputs), boundary: node, keyNode: null };
      default:
        return hasTwoInputs(node) ? this.chainBoth(node) : this.chain(node);
    }
  }

  private openSource(node: NodeOf<'source'>): Outlet {
    const parallelism = node.source.kind === 'topic' ? null : (node.parallelism ?? this.options.parallelism);
    const stage = new StageDraft({ kind: 'source', node }, parallelism);
    this.stages.push(stage);
    return enter(stage);
  }

  private keyBy(node: NodeOf<'keyBy'>): Outlet {
    if (this.isPartitioned(node)) return this.chain(node);
    return { kind: 'sent', taps: this.tapsOf(node.inputs), boundary: node, keyNode: node.id };
  }

  private union(node: NodeOf<'union'>): Outlet {
    const taps = this.tapsOf(node.inputs);
    const [first] = taps;
    const within = first !== undefined && taps.every(({ stage }) => stage === first.stage);
    if (within && fits(node, first.stage)) return { kind: 'placed', taps };
    return { kind: 'sent', taps, boundary: node, keyNode: null };
  }

  /** Adds an operator to the stage of its input, or to a new one. */
  private chain(node: LogicalNode): Outlet {
    const [edge] = node.inputs;
    if (edge === undefined) throw new RangeError(`node ${node.id} has no input`);
    const outlet = this.outletAt(edge);
    const { stage, edges } = this.placeFor(node, outlet);
    if (node.kind === 'watermarks') this.checkWatermarks(node, stage);
    const keyed = usesKey(node) && this.graph.nodes[edge.node]?.kind === 'keyBy';
    stage.operators.push({ node, inputs: edges, keyed });
    return { kind: 'placed', taps: [{ stage, edge: { node: node.id } }] };
  }

  /** Adds an operator with two inputs: to the stage that both come from, or to a new one, whose channel both are written to. */
  private chainBoth(node: LogicalNode): Outlet {
    const [left, right] = node.inputs;
    if (left === undefined || right === undefined) throw new RangeError(`node ${node.id} has not two inputs`);
    const first = this.writersOf(left);
    const second = node.kind === 'broadcastProcess' ? this.broadcastersOf(right) : this.writersOf(right);
    const writers = [...first, ...second];
    const stage = this.stageOfAll(node, writers) ?? this.openChannel(node, writers, node.parallelism);
    const edges = stage === writers[0]?.stage ? writers.map(({ edge }) => edge) : stage.entries;
    const keyed = usesKey(node) && first.every(({ keyNode }) => keyNode !== null);
    stage.operators.push({ node, inputs: edges.slice(0, first.length), secondInputs: edges.slice(first.length), keyed });
    return { kind: 'placed', taps: [{ stage, edge: { node: node.id } }] };
  }

  private writersOf(edge: LogicalEdge): readonly Writer[] {
    const keyNode = this.graph.nodes[edge.node]?.kind === 'keyBy' ? edge.node : null;
    return this.tapsOf([edge]).map((tap) => spread(tap, keyNode));
  }

  private broadcastersOf(edge: LogicalEdge): readonly Writer[] {
    return this.tapsOf([edge]).map((tap) => ({ ...tap, partitioner: 'broadcast', keyNode: null }));
  }

  /** The one stage that all of these come from, if they need not change their task. */
  private stageOfAll(node: LogicalNode, writers: readonly Writer[]): StageDraft | undefined {
    const stage = writers[0]?.stage;
    if (stage === undefined || !fits(node, stage)) return undefined;
    return writers.every((writer) => writer.stage === stage && writer.partitioner === 'rebalance') ? stage : undefined;
  }

  private placeFor(node: LogicalNode, outlet: Outlet): { stage: StageDraft; edges: readonly OperatorEdge[] } {
    if (outlet.kind === 'placed') {
      const stage = outlet.taps[0]?.stage;
      if (stage !== undefined && fits(node, stage)) return { stage, edges: outlet.taps.map((tap) => tap.edge) };
      const moved = this.open({ kind: 'sent', taps: outlet.taps, boundary: node, keyNode: null }, node.parallelism);
      return { stage: moved, edges: moved.entries };
    }
    const stage = this.open(outlet, node.parallelism);
    return { stage, edges: stage.entries };
  }

  /** The stage that reads the channel behind a boundary; one for each parallelism, shared by all that follow. */
  private open(outlet: Outlet & { kind: 'sent' }, parallelism: number | undefined): StageDraft {
    const { boundary, taps, keyNode } = outlet;
    const tasks = parallelism ?? boundary.parallelism;
    const name = `${boundary.id}/${tasks ?? this.options.parallelism}`;
    let stage = this.behind.get(name);
    if (stage !== undefined) return stage;
    stage = this.openChannel(
      boundary,
      taps.map((tap) => spread(tap, keyNode)),
      tasks,
    );
    this.behind.set(name, stage);
    return stage;
  }

  private openChannel(boundary: LogicalNode, writers: readonly Writer[], parallelism: number | undefined): StageDraft {
    const stage = new StageDraft({ kind: 'channel', boundary, writers }, parallelism ?? this.options.parallelism);
    for (const [tag, { stage: from, edge, partitioner, keyNode }] of writers.entries())
      from.outputs.push({ to: stage, from: edge, tag, partitioner, keyNode });
    this.stages.push(stage);
    return stage;
  }

  /** Where the records of these edges come from, for a channel of their own. A key that nobody has used yet is forgotten. */
  private tapsOf(edges: readonly LogicalEdge[]): readonly Tap[] {
    return edges.flatMap((edge) => {
      const node = this.graph.nodes[edge.node];
      if (node?.kind === 'keyBy') return this.tapsOf(node.inputs);
      const outlet = this.outletAt(edge);
      if (outlet.kind === 'placed' || outlet.boundary.parallelism === undefined) return outlet.taps;
      return enter(this.open(outlet, undefined)).taps;
    });
  }

  private outletAt(edge: LogicalEdge): Outlet {
    const outlet = this.outlets.get(edge.node);
    if (outlet === undefined) throw new RangeError(`node ${edge.node} comes after its consumer`);
    if (edge.side === undefined || outlet.kind !== 'placed') return outlet;
    const side = { node: edge.node, side: edge.side };
    return { kind: 'placed', taps: outlet.taps.map(({ stage }) => ({ stage, edge: side })) };
  }

  /** Whether `source` has promised that equal keys never stand in two partitions, and nothing has moved records since. */
  private promise(node: LogicalNode): void {
    if (node.kind === 'source') {
      if (node.source.keyedByRecordKey === true && node.source.topics?.length === 1) this.promised.set(node.id, node.id);
      return;
    }
    const [source, ...others] = node.inputs.map((edge) => this.promised.get(edge.node));
    if (source === undefined || others.some((other) => other !== source) || !KEEPS_PARTITIONS.includes(node.kind)) return;
    if (node.parallelism === undefined && !isStateful(node)) this.promised.set(node.id, source);
  }

  /** True for the keyBy that the promise of its source was made for: it needs no hop, task = partition. */
  private isPartitioned(node: NodeOf<'keyBy'>): boolean {
    const source = this.promised.get(node.inputs[0]?.node ?? -1);
    if (source === undefined) return false;
    const consumers = this.graph.nodes.filter((other) => other.inputs.some((edge) => edge.node === node.id));
    const chained = consumers.filter((other) => !MOVES_RECORDS.includes(other.kind) && !hasTwoInputs(other));
    if (chained.length === 0 || chained.some((other) => other.parallelism !== undefined)) return false;
    const claim = this.claims.get(source) ?? node;
    this.claims.set(source, claim);
    return claim.key === node.key;
  }

  private checkWatermarks(node: LogicalNode, stage: StageDraft): void {
    if (stage.input.kind === 'source') return;
    throw new MillraceError(
      'MILLRACE_WATERMARKS_MISPLACED',
      `${placeOf(this.graph, node)} does not run in a stage that reads a source: call it before the first keyBy, union or hop`,
    );
  }
}

function enter(stage: StageDraft): Outlet & { kind: 'placed' } {
  return { kind: 'placed', taps: stage.entries.map((edge) => ({ stage, edge })) };
}

/** By key, or where there is none by origin. */
function spread(tap: Tap, keyNode: number | null): Writer {
  return { ...tap, partitioner: keyNode === null ? 'rebalance' : 'key', keyNode };
}

function fits(node: LogicalNode, stage: StageDraft): boolean {
  return node.parallelism === undefined || node.parallelism === stage.parallelism;
}
