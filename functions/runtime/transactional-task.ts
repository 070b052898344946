import { isMillraceError, MillraceError } from '../shared/errors.ts';
import type { InputBatch, InputMessage } from './kafka-event.ts';
import { SourceTask } from './source-task.ts';
import type { OpenTask, StageRuntime, StageTask } from './stage-runtime.ts';
import type { TaskCounters } from './task-counters.ts';
import { takeTransaction, type TaskTransaction } from './task-transaction.ts';

/** Newer producers that one invocation meets before it gives up; the batch comes again. */
const MAX_TRIES = 5;

export const openTransactionalTask: OpenTask = (runtime, batch, _deadline, counters) => new TransactionalTask(runtime, batch, counters);

/**
 * One batch of a source task without a fence whose only outputs are exactly-once sinks (protocol section 4): the offset that they
 * commit in their transactions, G, takes the place of the fence.
 */
class TransactionalTask implements StageTask {
  readonly next: number;
  private readonly runtime: StageRuntime;
  private readonly batch: InputBatch;
  private readonly counters: TaskCounters;

  constructor(runtime: StageRuntime, batch: InputBatch, counters: TaskCounters) {
    this.next = batch.messages[0]?.offset ?? 0;
    this.runtime = runtime;
    this.batch = batch;
    this.counters = counters;
  }

  async run(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.attempt();
        return;
      } catch (error) {
        if (!isMillraceError(error, 'MILLRACE_FENCED') || tries === MAX_TRIES) throw error;
        this.counters.conflicts++;
      }
    }
  }

  private async attempt(): Promise<void> {
    const { runtime, batch } = this;
    const transaction = await takeTransaction(runtime, batch.topic, batch.partition); // A0
    if (!transaction)
      throw new MillraceError('MILLRACE_PLAN_MISMATCH', `stage ${runtime.stage.id} has no exactly-once sink; plan it again`);
    try {
      await this.attemptWith(transaction);
      transaction.isFresh = false;
      runtime.transactions.putBack(runtime.task(batch.topic, batch.partition), transaction);
    } catch (error) {
      void transaction.close().catch(() => undefined); // never aborted: only a newer producer's first transaction ends what is under way
      throw error;
    }
  }

  private async attemptWith(transaction: TaskTransaction): Promise<void> {
    const { runtime, batch, counters } = this;
    // Before anything is sent: a mapping that began again behind these records would leave a gap that nobody could see.
    if (transaction.published === undefined) await transaction.commit([], this.next);
    const next = transaction.published ?? this.next;
    const messages = batch.messages.filter(({ offset }) => offset >= next);
    counters.duplicates += batch.messages.length - messages.length;
    if (messages.length === 0) return;
    if (!transaction.isFresh && messages[0] !== undefined && messages[0].offset > next) throw this.overtaken(next, messages[0].offset);
    this.reportGaps(messages, next);
    const { plan, ports } = runtime;
    const task = new SourceTask(runtime, { ...batch, messages }, counters, async (outputs, risenWatermark) => {
      await outputs.publish(ports.channels, undefined, { watermark: risenWatermark });
      const appends = await outputs.takeAppends(next);
      const { deadLetters } = outputs;
      const letters = deadLetters.length > 0 ? [{ topic: plan.deadLetterTopic, partition: 0, messages: deadLetters }] : [];
      const last = messages.findLast(({ end }) => !end);
      if (last) await transaction.commit([...appends, ...letters], last.offset + 1, outputs.burial(appends, plan.deadLetterTopic));
    });
    await task.run();
  }

  /** A gap, or an old G: whoever opens the producer anew finds out. */
  private overtaken(next: number, first: number): MillraceError {
    const { topic, partition } = this.batch;
    return new MillraceError(
      'MILLRACE_FENCED',
      `${topic}-${partition} begins at ${first}, behind ${next}: another environment may have gone on`,
    );
  }

  /** Told before they are committed, so at least once: there is no fence that could keep the count. */
  private reportGaps(messages: readonly InputMessage[], next: number): void {
    const { topic, partition } = this.batch;
    let expected = next;
    for (const { offset, end } of messages) {
      if (!end && offset > expected) {
        this.counters.gaps++;
        this.runtime.ports.log(
          JSON.stringify({ level: 'warn', stage: this.runtime.stage.id, message: 'gap in the input', topic, partition, expected, offset }),
        );
      }
      expected = offset + 1;
    }
  }
}
