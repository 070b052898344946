import type { IntervalJoinShape } from '../graph/logical-graph.ts';
import { type Duration, toSignedMilliseconds } from '../shared/duration.ts';
import { MillraceError } from '../shared/errors.ts';
import type { Key } from '../shared/key.ts';
import type { DataStream } from './data-stream.ts';
import type { IntervalJoin, IntervalJoined, ProcessJoinFunction } from './interval-join.ts';
import type { LateTag } from './output-tag.ts';
import { checkMethods } from './process-shape.ts';
import type { StreamPair } from './stream-pair.ts';

type Draft = Omit<IntervalJoinShape, 'processElement'>;

export class RecordedIntervalJoin<A, B, K extends Key> implements IntervalJoin<A, B, K> {
  private readonly pair: StreamPair;

  constructor(pair: StreamPair) {
    this.pair = pair;
  }

  between(lower: Duration, upper: Duration): IntervalJoined<A, B, K> {
    return new RecordedIntervalJoined(this.pair, { lowerMs: toSignedMilliseconds(lower), upperMs: toSignedMilliseconds(upper) });
  }

  /** For JavaScript users: the types don't have it. */
  process(): never {
    throw new MillraceError(
      'MILLRACE_OPTION_INVALID',
      'intervalJoin() needs bounds, or its state would grow for ever: call .between(lower, upper) before .process()',
    );
  }
}

class RecordedIntervalJoined<A, B, K extends Key> implements IntervalJoined<A, B, K> {
  private readonly pair: StreamPair;
  private readonly draft: Draft;

  constructor(pair: StreamPair, draft: Draft) {
    this.pair = pair;
    this.draft = draft;
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
    checkMethods('intervalJoin().process()', fn, ['processElement']);
    const processElement = fn.processElement.bind(fn) as IntervalJoinShape['processElement'];
    return this.pair.append({ kind: 'intervalJoin', interval: { ...this.draft, processElement } });
  }

  private with(changes: Partial<Draft>): this {
    return new RecordedIntervalJoined<A, B, K>(this.pair, { ...this.draft, ...changes }) as this;
  }
}
