import type { TemporalJoinShape } from '../graph/logical-graph.ts';
import type { Key } from '../shared/key.ts';
import { checkFunction } from './check-function.ts';
import type { DataStream } from './data-stream.ts';
import type { LateTag } from './output-tag.ts';
import { RecordedPair } from './recorded-pair.ts';
import type { TemporalJoin, TemporalJoinFunction } from './temporal-join.ts';

export class RecordedTemporalJoin<T, V, K extends Key>
  extends RecordedPair<Omit<TemporalJoinShape, 'join'>>
  implements TemporalJoin<T, V, K>
{
  sideOutputLateData(tag: LateTag<T>): this {
    return this.with({ lateTag: tag.name });
  }

  apply<O>(fn: TemporalJoinFunction<T, V, K, O>): DataStream<O> {
    const join = checkFunction('apply', fn) as TemporalJoinShape['join'];
    return this.pair.append({ kind: 'temporalJoin', temporalJoin: { ...this.draft, join } });
  }
}
