import type { LogicalNode, NodeOf } from './logical-graph.ts';
import { isStateful, uidOf } from './operators.ts';
import { slug } from './names.ts';
import type { OperatorEdge, StageOutput } from './stage-plan.ts';

/** A place where records come out of a stage's chain. */
export interface Tap {
  readonly stage: StageDraft;
  readonly edge: OperatorEdge;
}

/** What a stage reads: a source, or the channel that `boundary` (a keyBy, union, hop, two inputs, or change of parallelism) begins. */
export type DraftInput =
  | { readonly kind: 'source'; readonly node: NodeOf<'source'> }
  | { readonly kind: 'channel'; readonly boundary: LogicalNode; readonly writers: readonly Tap[] };

export interface DraftOperator {
  readonly node: LogicalNode;
  readonly inputs: readonly OperatorEdge[];
  readonly secondInputs?: readonly OperatorEdge[];
  readonly keyed: boolean;
}

export interface DraftOutput {
  readonly to: StageDraft;
  readonly from: OperatorEdge;
  readonly tag: number;
  readonly partitioner: StageOutput['partitioner'];
  readonly keyNode: number | null;
}

/** A stage while the graph is being cut; it grows as operators are chained to it and channels are opened behind it. */
export class StageDraft {
  readonly input: DraftInput;
  /** Null where an external topic decides. */
  readonly parallelism: number | null;
  readonly operators: DraftOperator[] = [];
  readonly outputs: DraftOutput[] = [];

  constructor(input: DraftInput, parallelism: number | null) {
    this.input = input;
    this.parallelism = parallelism;
  }

  /** Where the stage's input enters the chain: one edge for each tag. */
  get entries(): readonly OperatorEdge[] {
    return this.input.kind === 'source' ? [{ input: 0 }] : this.input.writers.map((_, input) => ({ input }));
  }

  /** Whether its tasks keep a fence: copies of a channel's records, and state, must be recognized. */
  get fenced(): boolean {
    if (this.journal || this.input.kind === 'channel' || this.operators.some(({ node }) => isStateful(node))) return true;
    if (this.writesParts) return true;
    // A sink's transaction takes the place of the fence only where it is the one output.
    return this.transactional && this.outputs.length > 0;
  }

  /** Whether it has a sink that keeps a position of its own: what is replayed must be checked against a fence. */
  get writesParts(): boolean {
    return this.operators.some(({ node }) => node.kind === 'sink' && node.sink.folder !== undefined);
  }

  /** Whether it has an exactly-once sink. */
  get transactional(): boolean {
    return this.operators.some(({ node }) => node.kind === 'sink' && node.sink.delivery === 'exactly-once');
  }

  /** Whether its outputs are committed with the state and sent from there. */
  get journal(): boolean {
    const nodes = this.operators.map(({ node }) => node);
    return [...nodes, ...(this.input.kind === 'source' ? [this.input.node] : [])].some((node) => node.journal === true);
  }
}

/**
 * An id for each stage. A source's stage has its uid. Any other takes the uid of its first stateful operator, because state is stored
 * under the stage's id and must not move when operators without state are added or named; else the first uid in it, else the first name.
 */
export function nameStages(drafts: readonly StageDraft[]): ReadonlyMap<StageDraft, string> {
  const ids = new Map<StageDraft, string>();
  const taken = new Set<string>();
  const take = (draft: StageDraft, wanted: string): void => {
    const id = taken.has(wanted) ? `${wanted}-${(draft.operators[0]?.node ?? firstNode(draft)).id}` : wanted;
    taken.add(id);
    ids.set(draft, id);
  };
  // Uids first, wherever they are: what is only made from a name gives way.
  for (const draft of drafts) {
    const uid = stageUid(draft);
    if (uid !== undefined) take(draft, uid);
  }
  for (const draft of drafts) if (!ids.has(draft)) take(draft, stageName(draft));
  return ids;
}

function stageUid(draft: StageDraft): string | undefined {
  const nodes = nodesOf(draft);
  return [...nodes.filter(isStateful).map(uidOf), ...nodes.map((node) => node.uid)].find((uid) => uid !== undefined);
}

function stageName(draft: StageDraft): string {
  const first = firstNode(draft);
  const names = nodesOf(draft).map(({ name }) => (name === undefined ? undefined : slug(name)));
  return names.find((name) => name !== undefined) ?? `${first.kind}-${first.id}`;
}

/** The nodes that can name a stage, the best first; what follows a source does not. */
function nodesOf(draft: StageDraft): readonly LogicalNode[] {
  return draft.input.kind === 'source' ? [draft.input.node] : [firstNode(draft), ...draft.operators.map(({ node }) => node)];
}

/** A keyBy names nothing, what follows it does. */
function firstNode(draft: StageDraft): LogicalNode {
  if (draft.input.kind === 'source') return draft.input.node;
  const { boundary } = draft.input;
  return boundary.kind === 'keyBy' ? (draft.operators[0]?.node ?? boundary) : boundary;
}
