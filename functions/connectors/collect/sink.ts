import type { OutgoingMessage } from '../../channels/channel-writer.ts';
import { encodeValue } from '../../codec/value.ts';
import { collectTopic } from '../../graph/names.ts';
import { MillraceError } from '../../shared/errors.ts';
import { describeOrigin, ORIGIN_HEADER } from '../../shared/origin.ts';
import type { OutputOrigin, Sink, SinkContext, SinkWriter } from '../sink.ts';

const MAX_RECORD_BYTES = 1_000_000;

/** Keeps records in a topic of the pipeline's own, for whoever runs it: each with its origin, by which copies of a batch are told apart. */
export function collectSink(name: string): Sink<unknown> {
  return Object.freeze({ kind: 'collect', collect: name, open: (context: SinkContext) => new CollectWriter(name, context) });
}

class CollectWriter implements SinkWriter<unknown> {
  private readonly topic: string;
  private readonly context: SinkContext;
  private kept: OutgoingMessage[] = [];

  constructor(name: string, context: SinkContext) {
    this.topic = collectTopic(context.pipeline, name);
    this.context = context;
  }

  write(value: unknown, _timestamp: number | undefined, origin: OutputOrigin): void {
    const bytes = encodeValue(value);
    if (bytes.length > MAX_RECORD_BYTES)
      throw new MillraceError(
        'MILLRACE_VALUE_TOO_LARGE',
        `a record of ${bytes.length} bytes for collect(); at most ${MAX_RECORD_BYTES} are allowed`,
      );
    this.kept.push({ key: null, value: bytes, headers: [[ORIGIN_HEADER, Buffer.from(describeOrigin(this.context.task, origin))]] });
  }

  mark(): number {
    return this.kept.length;
  }

  reset(mark: number): void {
    this.kept.length = mark;
  }

  async flush(): Promise<void> {
    if (this.kept.length > 0) await this.context.channels.append(this.topic, 0, this.kept);
    this.kept = [];
  }
}
