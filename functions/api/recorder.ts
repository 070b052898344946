import type { LogicalEdge, LogicalNode } from '../graph/logical-graph.ts';
import { isBounded } from '../graph/operators.ts';
import { MillraceError } from '../shared/errors.ts';

type Without<N, F extends PropertyKey> = N extends unknown ? Omit<N, F> : never;

/** A node without what the recorder adds. */
export type NodeBody = Without<LogicalNode, 'id' | 'inputs'>;

/** What `.uid()`, `.name()`, `.setParallelism()` and `.journal()` set. */
export type NodeLabels = Partial<Pick<LogicalNode, 'uid' | 'name' | 'parallelism' | 'journal'>>;

/**
 * Records the calls of one build as nodes of a graph. Ids are given in the order of calls, so that the same file gives the same ids
 * wherever it is built. Closed when the build function has returned.
 */
export class GraphRecorder {
  private readonly nodes: LogicalNode[] = [];
  private closed = false;

  add(body: NodeBody, inputs: readonly LogicalEdge[]): number {
    this.checkOpen();
    const id = this.nodes.length;
    this.nodes.push({ id, inputs, ...body });
    return id;
  }

  label(node: number, labels: NodeLabels): void {
    this.checkOpen();
    this.nodes[node] = { ...this.at(node), ...labels };
  }

  at(node: number): LogicalNode {
    const found = this.nodes[node];
    if (found === undefined) throw new RangeError(`graph has no node ${node}`);
    return found;
  }

  /** Number of nodes of a kind so far. */
  count(kind: LogicalNode['kind']): number {
    return this.nodes.filter((node) => node.kind === kind).length;
  }

  /** Number of nodes so far. */
  get size(): number {
    return this.nodes.length;
  }

  /** @throws MILLRACE_INPUT_UNBOUNDED a source that the node's records come from has no end. */
  checkBounded(node: number): void {
    const found = this.at(node);
    if (found.kind === 'source' && !isBounded(found.source))
      throw new MillraceError(
        'MILLRACE_INPUT_UNBOUNDED',
        `source '${found.uid ?? '?'}' has no end, and a DataSet has one: give the source one, as kafka.source({ bounded: 'latest' }), or use windows`,
      );
    for (const { node: input } of found.inputs) this.checkBounded(input);
  }

  close(): readonly LogicalNode[] {
    this.closed = true;
    return Object.freeze([...this.nodes]);
  }

  private checkOpen(): void {
    if (!this.closed) return;
    throw new MillraceError(
      'MILLRACE_STREAM_FOREIGN',
      'this stream belongs to a build that has ended: use streams only inside the function given to pipeline(), synchronously',
    );
  }
}
