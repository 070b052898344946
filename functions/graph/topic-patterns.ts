import { MillraceError } from '../shared/errors.ts';
import type { LogicalGraph, SourceShape } from './logical-graph.ts';

/** Topics that there are, for sources that name theirs by a pattern. */
export interface KnownTopics {
  readonly topics: Iterable<string>;
  /** Names of the pipeline's own topics begin so: no source reads them. */
  readonly ownPrefix: string;
}

/** As Kafka's Java clients and Flink match: the whole name. */
export function matchesTopic({ source, flags }: RegExp, topic: string): boolean {
  return new RegExp(`^(?:${source})$`, flags).test(topic);
}

/** True for a topic that the source reads, or would read if it were there. */
export function readsTopic({ topics, pattern }: SourceShape, topic: string): boolean {
  return topics?.includes(topic) === true || (pattern !== undefined && matchesTopic(pattern, topic));
}

export function hasPatterns({ nodes }: LogicalGraph): boolean {
  return nodes.some((node) => node.kind === 'source' && node.source.pattern !== undefined);
}

/**
 * The same graph, with the topics that its sources' patterns match, in the order of their names. Planning is pure, so topics are looked up
 * before it; the plan, and every bundle made from it, then names them.
 *
 * @throws MILLRACE_TOPIC_MISSING a pattern matches none.
 */
export function withMatchingTopics(graph: LogicalGraph, { topics, ownPrefix }: KnownTopics): LogicalGraph {
  // Those with __ are Kafka's own, as __consumer_offsets.
  const known = [...new Set(topics)].filter((topic) => !topic.startsWith('__') && !topic.startsWith(ownPrefix)).sort();
  const nodes = graph.nodes.map((node) => {
    if (node.kind !== 'source' || node.source.pattern === undefined) return node;
    const { pattern } = node.source;
    const found = known.filter((topic) => matchesTopic(pattern, topic));
    if (found.length === 0) throw matchesNothing(node.uid ?? '?', pattern, known);
    return { ...node, source: { ...node.source, topics: found } };
  });
  return { ...graph, nodes };
}

/** Topics that sources and sinks of the pipeline name. */
export function namedTopics({ nodes }: LogicalGraph): readonly string[] {
  return nodes.flatMap((node) => {
    if (node.kind === 'source') return node.source.topics ?? [];
    return node.kind === 'sink' && node.sink.topic !== undefined ? [node.sink.topic] : [];
  });
}

const MOST_LISTED = 20;

function matchesNothing(uid: string, pattern: RegExp, known: readonly string[]): MillraceError {
  const listed = known.slice(0, MOST_LISTED).join(', ') || 'none';
  return new MillraceError(
    'MILLRACE_TOPIC_MISSING',
    `source '${uid}' reads topics ${String(pattern)}, and no topic matches that; there are ${listed}${known.length > MOST_LISTED ? ', …' : ''}. ` +
      'A pattern matches whole names: correct it, or create the topics first',
  );
}
