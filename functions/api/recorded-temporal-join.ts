import type { TemporalJoinShape } from '../graph/logical-graph.ts';
import { MillraceError } from '../shared/errors.ts';
import type { Key } from '../shared/key.ts';
import { checkFunction } from './check-function.ts';
import type { DataStream } from './data-stream.ts';
import type { LateTag } from './output-tag.ts';
import type { StreamPair } from './stream-pair.ts';
import type { TemporalJoin, TemporalJoinFunction } from './temporal-join.ts';

type Draft = Omit<TemporalJoinShape, 'join'>;

export class RecordedTemporalJoin<T, V, K extends Key> implements TemporalJoin<T, V, K> {
  private readonly pair: StreamPair;
  private readonly draft: Draft;

  constructor(pair: StreamPair, draft: Draft) {
    this.pair = pair;
    this.draft = draft;
  }

  sideOutputLateData(tag: LateTag<T>): this {
    return new RecordedTemporalJoin<T, V, K>(this.pair, { ...this.draft, lateTag: tag.name }) as this;
  }

  apply<O>(fn: TemporalJoinFunction<T, V, K, O>): DataStream<O> {
    const join = checkFunction('apply', fn) as TemporalJoinShape['join'];
    return this.pair.append({ kind: 'temporalJoin', temporalJoin: { ...this.draft, join } });
  }
}

/** @throws MILLRACE_OPTION_INVALID */
export function parseJoinType(type: unknown): Draft['type'] {
  if (type === undefined) return 'inner';
  if (type === 'inner' || type === 'left') return type;
  throw new MillraceError('MILLRACE_OPTION_INVALID', `the type of a temporalJoin is ${JSON.stringify(type)}: give 'inner' or 'left'`);
}
