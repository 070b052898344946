import type { OutgoingMessage } from '../../functions/channels/channel-writer.ts';
import type { TopicAppend, TransactionalLog, TransactionalProducer } from '../../functions/channels/transactional-log.ts';
import { MillraceError } from '../../functions/shared/errors.ts';
import type { SimLog } from './sim-log.ts';
import type { Owner, Simulator } from './simulator.ts';

/** What coordinator and partitions know of one transactional id. */
interface ProducerState {
  epoch: number;
  /** A transaction has begun under `epoch`. */
  isOpen: boolean;
  /** Newest epoch that the partitions have seen: an older request is refused there. */
  seenEpoch: number;
  /** Appended and without a marker. */
  pending: { readonly topic: string; readonly partition: number; readonly message: OutgoingMessage }[];
  /** Decided, but markers are not written yet: nobody can begin meanwhile. */
  isDecided: boolean;
  /** Committed offsets that the group's coordinator does not show yet. */
  hidden: number;
  /** Of the group. */
  offset: number | undefined;
  hasSent: boolean;
}

/**
 * Kafka's transactions as protocol.md assumes them: the first one of a newer producer ends what older ones have under way, a request may
 * come late, and an outcome may be unknown. Readers see committed messages only.
 */
export class SimTransactions {
  private readonly simulator: Simulator;
  private readonly log: SimLog;
  private readonly producers = new Map<string, ProducerState>();

  constructor(simulator: Simulator, log: SimLog) {
    this.simulator = simulator;
    this.log = log;
  }

  connect(owner: Owner): TransactionalLog {
    return {
      openProducer: async (id) => {
        const state = this.stateOf(id);
        const epoch = await this.simulator.call(owner, 'A0 init', () => this.init(state));
        const committed = await this.simulator.call(owner, 'A0 offset', () => this.fetch(state));
        return this.producer(owner, state, epoch, committed);
      },
      close: () => Promise.resolve(),
    };
  }

  /** Messages of transactions that are committed, but whose markers are still to be written. */
  decided(topic: string): OutgoingMessage[] {
    const states = [...this.producers.values()].filter(({ isDecided }) => isDecided);
    return states.flatMap(({ pending }) => pending.filter((one) => one.topic === topic).map(({ message }) => message));
  }

  /** Whether a producer with this prefix of its name has sent anything. */
  hasSent(prefix: string): boolean {
    return [...this.producers].some(([id, { hasSent }]) => hasSent && id.startsWith(prefix));
  }

  private producer(owner: Owner, state: ProducerState, epoch: number, committed: number | undefined): TransactionalProducer {
    const { simulator } = this;
    return {
      committed,
      commit: async (appends, offset) => {
        for (const append of appends) {
          await simulator.call(owner, 'A6 transaction send', () => {
            this.send(state, epoch, append);
          });
        }
        await simulator.call(owner, 'A6 transaction commit', () => {
          this.commit(state, epoch, offset);
        });
      },
      close: () => Promise.resolve(),
    };
  }

  private stateOf(id: string): ProducerState {
    let state = this.producers.get(id);
    if (!state) {
      state = { epoch: 0, isOpen: false, seenEpoch: 0, pending: [], isDecided: false, hidden: 0, offset: undefined, hasSent: false };
      this.producers.set(id, state);
    }
    return state;
  }

  private init(state: ProducerState): number {
    if (state.isDecided) throw new MillraceError('MILLRACE_PRODUCE_FAILED', 'simulated: concurrent transactions');
    state.epoch++;
    if (state.isOpen) {
      state.isOpen = false;
      state.pending = [];
      state.seenEpoch = state.epoch;
    }
    return state.epoch;
  }

  private fetch(state: ProducerState): number | undefined {
    if (state.hidden > 0) throw new MillraceError('MILLRACE_CONNECTION_LOST', 'simulated: the offset is not stable yet');
    return state.offset;
  }

  private send(state: ProducerState, epoch: number, { topic, partition, messages }: TopicAppend): void {
    this.begin(state, epoch);
    state.hasSent = true;
    const arrive = (): void => {
      if (epoch < state.seenEpoch) return;
      state.seenEpoch = epoch;
      state.pending.push(...messages.map((message) => ({ topic, partition, message })));
    };
    const names = ['transaction send lost', 'transaction send unacknowledged', 'transaction send late'];
    const fault = this.simulator.fault(0.05, 'A6 transaction send', ...names);
    if (fault === 'transaction send late') this.simulator.later('late transaction send', 5 + this.simulator.extent(80, 0.1), arrive);
    else if (fault !== 'transaction send lost') arrive();
    if (fault !== undefined) throw new MillraceError('MILLRACE_PRODUCE_FAILED', `simulated: ${fault}`);
  }

  private commit(state: ProducerState, epoch: number, offset: number): void {
    this.begin(state, epoch);
    const names = ['transaction lost', 'transaction unacknowledged', 'transaction late', 'markers late', 'offsets late'];
    const fault = this.simulator.fault(0.08, 'A6 transaction commit', ...names);
    const end = (): void => {
      if (state.epoch !== epoch || !state.isOpen) return;
      state.isOpen = false;
      state.isDecided = true;
      if (fault === 'markers late') this.later('markers', () => this.settle(state, epoch, offset, false));
      else this.settle(state, epoch, offset, fault === 'offsets late');
    };
    if (fault === 'transaction late') this.later('transaction', end);
    else if (fault !== 'transaction lost') end();
    if (fault?.startsWith('transaction') === true) throw new MillraceError('MILLRACE_PRODUCE_FAILED', `simulated: ${fault}`);
  }

  private begin(state: ProducerState, epoch: number): void {
    if (state.epoch !== epoch) throw new MillraceError('MILLRACE_FENCED', 'simulated: there is a newer producer');
    if (state.isDecided) throw new MillraceError('MILLRACE_PRODUCE_FAILED', 'simulated: concurrent transactions');
    state.isOpen = true;
  }

  /** Writes the markers: readers see the messages, and soon the offset. */
  private settle(state: ProducerState, epoch: number, offset: number, isOffsetLate: boolean): void {
    state.isDecided = false;
    for (const { topic, partition, message } of state.pending) this.log.put(topic, partition, message);
    this.simulator.log(`transaction committed: ${state.pending.length} messages, offset ${offset}`);
    state.pending = [];
    state.seenEpoch = Math.max(state.seenEpoch, epoch);
    if (!isOffsetLate) {
      state.offset = offset;
      return;
    }
    state.hidden++;
    this.later('offset', () => {
      state.hidden--;
      state.offset = Math.max(state.offset ?? 0, offset);
    });
  }

  private later(what: string, act: () => void): void {
    this.simulator.later(`late ${what}`, 5 + this.simulator.extent(60, 0.1), act);
  }
}
