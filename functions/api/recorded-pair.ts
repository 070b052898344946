import type { StreamPair } from './stream-pair.ts';

/** What has been said so far of an operator over two streams; each call gives another. */
export abstract class RecordedPair<D> {
  protected readonly pair: StreamPair;
  protected readonly draft: D;

  constructor(pair: StreamPair, draft: D) {
    this.pair = pair;
    this.draft = draft;
  }

  protected with(changes: Partial<D>): this {
    const Class = this.constructor as new (pair: StreamPair, draft: D) => this;
    return new Class(this.pair, { ...this.draft, ...changes });
  }
}
