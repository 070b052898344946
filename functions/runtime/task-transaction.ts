import type { Bury, TopicAppend, TransactionalProducer } from '../channels/transactional-log.ts';
import { MillraceError } from '../shared/errors.ts';
import type { StageRuntime } from './stage-runtime.ts';

/**
 * The producer of a task's exactly-once sinks, and G: outputs of input below it are in the log. Kept for the next attempt only after
 * success, and taken out by one owner, as an image is.
 */
export class TaskTransaction {
  /** G; undefined where the group has committed nothing yet. */
  published: number | undefined;
  /** True while G is what opening has read: later, another environment may have moved it on unseen. */
  isFresh = true;
  private readonly producer: TransactionalProducer;

  constructor(producer: TransactionalProducer) {
    this.producer = producer;
    this.published = producer.committed;
  }

  /** Sends `appends` and sets G, in one transaction. */
  async commit(appends: readonly TopicAppend[], next: number, bury?: Bury): Promise<void> {
    await this.producer.commit(appends, next, bury);
    this.published = next;
  }

  close(): Promise<void> {
    return this.producer.close();
  }
}

/**
 * A0: the producer of this very task; opening it shuts out older ones. Undefined for a stage without an exactly-once sink. The
 * generation is in the name, because a recreated topic numbers its offsets anew.
 */
export async function takeTransaction(runtime: StageRuntime, topic: string, partition: number): Promise<TaskTransaction | undefined> {
  const { stage, plan, ports, transactions } = runtime;
  if (!stage.transactional) return undefined;
  const held = transactions.take(runtime.task(topic, partition));
  if (held) return held;
  if (!ports.transactions)
    throw new MillraceError('MILLRACE_CONFIG_INVALID', `stage ${stage.id} has an exactly-once sink, but its log has no transactions`);
  return new TaskTransaction(
    await ports.transactions.openProducer(`${stage.name}.${topic}-${partition}.g${plan.generation}`, topic, partition),
  );
}
