import type { ChannelWriter } from '../../functions/channels/channel-writer.ts';
import type { TransactionalLog } from '../../functions/channels/transactional-log.ts';
import type { StateBackend } from '../../functions/state/state-backend.ts';
import { MillraceError } from '../../functions/shared/errors.ts';

/** Something that goes wrong in a test run, at the n-th chance (from 1) counted over the whole run. */
export type Fault =
  /** A call of a port fails without effect: `read` and `write` of the state store, `append` to the log. */
  | { readonly fail: 'read' | 'write' | 'append'; readonly nth: number }
  /** The write or append takes effect, but its answer is lost. */
  | { readonly lose: 'write' | 'append'; readonly nth: number }
  /** The environment dies: before its n-th append, after it, or after its n-th commit; its memory is gone. */
  | { readonly crash: 'before-publish' | 'after-publish' | 'after-commit'; readonly nth: number }
  /** The n-th batch is delivered twice, or first in two halves and then, as if those had failed, whole. */
  | { readonly batch: 'duplicate' | 'recut'; readonly nth: number };

/** The names of `Fault`, for who has no compiler. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  fail: ['read', 'write', 'append'],
  lose: ['write', 'append'],
  crash: ['before-publish', 'after-publish', 'after-commit'],
  batch: ['duplicate', 'recut'],
};
const ALLOWED = Object.entries(NAMES).map(([kind, names]) => `${kind}: ${names.map((name) => `'${name}'`).join(' or ')}`);

/** Thrown through the runtime where an environment dies. */
export class EnvironmentDied extends Error {
  override readonly name = 'EnvironmentDied';
}

/** Counts chances, fires faults, and knows which have not fired. */
export class FaultPlan {
  private readonly pending: Set<Fault>;
  private readonly chances = new Map<string, number>();

  /** @throws MILLRACE_OPTION_INVALID */
  constructor(faults: readonly Fault[]) {
    faults.forEach(checkFault);
    this.pending = new Set(faults);
  }

  /** @throws MILLRACE_OPTION_INVALID a fault had no chance to fire. */
  checkAllFired(): void {
    if (this.pending.size === 0) return;
    throw invalid(`faults that did not fire: ${JSON.stringify([...this.pending])}; the run has fewer chances than their nth`);
  }

  /** The faults that fire at this chance. `key` names the kind of chance, as `kind` of `matches`. */
  take(chance: string, matches: (fault: Fault) => boolean): Fault | undefined {
    const count = (this.chances.get(chance) ?? 0) + 1;
    this.chances.set(chance, count);
    for (const fault of this.pending) {
      if (fault.nth !== count || !matches(fault)) continue;
      this.pending.delete(fault);
      return fault;
    }
    return undefined;
  }
}

function checkFault(fault: unknown): void {
  const { nth, ...what } = (fault ?? {}) as Readonly<Record<string, unknown>>;
  const [[kind, name] = ['', undefined], ...more] = Object.entries(what);
  const isKnown = Object.hasOwn(NAMES, kind) && (NAMES[kind] as readonly unknown[]).includes(name) && more.length === 0;
  if (!isKnown) throw invalid(`fault ${JSON.stringify(fault)} is unknown; give one of ${ALLOWED.join('; ')}`);
  if (!Number.isSafeInteger(nth) || (nth as number) < 1)
    throw invalid(
      `nth of fault ${JSON.stringify(fault)} is ${nth === undefined ? 'missing' : JSON.stringify(nth)}; give a whole number from 1`,
    );
}

function invalid(message: string): MillraceError {
  return new MillraceError('MILLRACE_OPTION_INVALID', message);
}

/** A log whose appends can fail, lose their answer, or be the last thing that an environment does. */
export function faultyChannels(inner: ChannelWriter, plan: FaultPlan): ChannelWriter {
  return {
    partitionCount: (topic) => inner.partitionCount(topic),
    close: () => inner.close(),
    append: (topic, partition, messages) =>
      publish(plan, `append to ${topic}-${partition}`, () => inner.append(topic, partition, messages)),
  };
}

/** Transactions of the same log; each is one chance, as an append is. */
export function faultyTransactions(inner: TransactionalLog, plan: FaultPlan): TransactionalLog {
  return {
    close: () => inner.close(),
    openProducer: async (id, topic, partition) => {
      const producer = await inner.openProducer(id, topic, partition);
      return {
        committed: producer.committed,
        close: () => producer.close(),
        commit: (appends, offset) => publish(plan, `transaction of ${id}`, () => producer.commit(appends, offset)),
      };
    },
  };
}

async function publish(plan: FaultPlan, what: string, send: () => Promise<void>): Promise<void> {
  const fault = plan.take(
    'append',
    (one) =>
      ('fail' in one && one.fail === 'append') ||
      ('lose' in one && one.lose === 'append') ||
      ('crash' in one && one.crash !== 'after-commit'),
  );
  if (fault && 'fail' in fault) throw new MillraceError('MILLRACE_PRODUCE_FAILED', `the ${what} failed on purpose`);
  if (fault && 'crash' in fault && fault.crash === 'before-publish') throw new EnvironmentDied('before publish');
  await send();
  if (fault && 'lose' in fault) throw new MillraceError('MILLRACE_PRODUCE_FAILED', `the answer of the ${what} was lost on purpose`);
  if (fault) throw new EnvironmentDied('after publish');
}

/** A state store whose calls can fail, lose their answer, or be the last thing that an environment does. */
export function faultyState(inner: StateBackend, plan: FaultPlan): StateBackend {
  return {
    limits: inner.limits,
    list: (path) => inner.list(path),
    close: () => inner.close(),
    read: (path) => {
      const fault = plan.take('read', (one) => 'fail' in one && one.fail === 'read');
      if (fault) return Promise.reject(new MillraceError('MILLRACE_CONNECTION_LOST', `read of ${path} failed on purpose`));
      return inner.read(path);
    },
    multi: async (ops) => {
      const fault = plan.take('write', (one) => ('fail' in one && one.fail === 'write') || ('lose' in one && one.lose === 'write'));
      const unknown = (): MillraceError => new MillraceError('MILLRACE_OUTCOME_UNKNOWN', 'the answer of a write was lost on purpose');
      if (fault && 'fail' in fault) throw unknown();
      await inner.multi(ops);
      if (fault) throw unknown();
      const isCommit = ops.some(({ op }) => op === 'set') && !ops.some(({ op }, i) => op === 'create' && i === 0);
      if (isCommit && plan.take('commit', (one) => 'crash' in one && one.crash === 'after-commit'))
        throw new EnvironmentDied('after commit');
    },
  };
}
