import type { ChannelWriter } from '../../functions/channels/channel-writer.ts';
import type { TransactionalLog, TransactionalProducer } from '../../functions/channels/transactional-log.ts';
import type { StateBackend } from '../../functions/state/state-backend.ts';

/** A moment in a batch's life that a fault can be tied to. Transactions publish, too; what changes a fence commits. */
export type Moment = 'before publish' | 'after publish' | 'before commit' | 'after commit';

/** Acts once, at the next moment that it is set for. */
export class Tripwire {
  private moment: Moment | undefined;
  private act: () => Promise<void> = () => Promise.resolve();

  set(moment: Moment, act: () => Promise<void>): void {
    this.moment = moment;
    this.act = act;
  }

  clear(): void {
    this.moment = undefined;
  }

  async pass(moment: Moment): Promise<void> {
    if (this.moment !== moment) return;
    this.moment = undefined;
    await this.act();
  }
}

export function wiredChannels(inner: ChannelWriter, wire: Tripwire): ChannelWriter {
  return {
    async append(topic, partition, messages, onRefused) {
      await wire.pass('before publish');
      await inner.append(topic, partition, messages, onRefused);
      await wire.pass('after publish');
    },
    partitionCount: (topic) => inner.partitionCount(topic),
    close: () => inner.close(),
  };
}

export function wiredTransactions(inner: TransactionalLog, wire: Tripwire): TransactionalLog {
  return {
    openProducer: async (id, topic, partition) => wiredProducer(await inner.openProducer(id, topic, partition), wire),
    close: () => inner.close(),
  };
}

function wiredProducer(inner: TransactionalProducer, wire: Tripwire): TransactionalProducer {
  return {
    committed: inner.committed,
    async commit(appends, offset, bury) {
      await wire.pass('before publish');
      await inner.commit(appends, offset, bury);
      await wire.pass('after publish');
    },
    close: () => inner.close(),
  };
}

export function wiredState(inner: StateBackend, wire: Tripwire): StateBackend {
  return {
    read: (path) => inner.read(path),
    list: (path) => inner.list(path),
    limits: inner.limits,
    async multi(ops) {
      // What is not a compare-and-set of a fence prepares one.
      const isCommit = ops[0]?.op === 'set';
      if (isCommit) await wire.pass('before commit');
      await inner.multi(ops);
      if (isCommit) await wire.pass('after commit');
    },
    close: () => inner.close(),
  };
}
