import type { IntervalJoinShape } from '../graph/logical-graph.ts';
import { type Duration, toSignedMilliseconds } from '../shared/duration.ts';
import type { Key } from '../shared/key.ts';
import type { DataStream } from './data-stream.ts';
import type { IntervalJoin, IntervalJoined, ProcessJoinFunction } from './interval-join.ts';
import type { LateTag } from './output-tag.ts';
import { bindMethods } from './process-shape.ts';
import { RecordedPair } from './recorded-pair.ts';

/** Before `between`, the bounds are NaN, which planning refuses: JavaScript users may leave it out. */
export const UNBOUNDED = { lowerMs: NaN, upperMs: NaN };

export class RecordedIntervalJoin<A, B, K extends Key>
  extends RecordedPair<Omit<IntervalJoinShape, 'processElement'>>
  implements IntervalJoin<A, B, K>, IntervalJoined<A, B, K>
{
  between(lower: Duration, upper: Duration): IntervalJoined<A, B, K> {
    return this.with({ lowerMs: toSignedMilliseconds(lower), upperMs: toSignedMilliseconds(upper) });
  }

  lowerBoundExclusive(): this {
    return this.with({ lowerMs: this.draft.lowerMs + 1 });
  }

  upperBoundExclusive(): this {
    return this.with({ upperMs: this.draft.upperMs - 1 });
  }

  sideOutputLeftLateData(tag: LateTag<A>): this {
    return this.with({ leftLateTag: tag.name });
  }

  sideOutputRightLateData(tag: LateTag<B>): this {
    return this.with({ rightLateTag: tag.name });
  }

  process<O>(fn: ProcessJoinFunction<A, B, K, O>): DataStream<O> {
    const bound = bindMethods('intervalJoin().process', fn, ['processElement']);
    return this.pair.append({ kind: 'intervalJoin', interval: { ...this.draft, ...bound } });
  }
}
