import { isMillraceError, MillraceError } from '../shared/errors.ts';
import { addVerdicts, type Decisions } from '../state/fence.ts';
import type { CachedState, FenceNode, TaskStore } from '../state/task-store.ts';
import type { AppliedInput, SinkWriter } from '../connectors/sink.ts';
import type { BatchOutputs } from './batch-outputs.ts';
import { recordFailed } from './dead-letter.ts';
import { compareRuns } from './determinism.ts';
import { channelGap, FencedRun } from './fenced-run.ts';
import type { InputBatch, InputMessage } from './kafka-event.ts';
import { openTaskStore } from './open-task-store.ts';
import { OutputJournal, publishJournal } from './output-journal.ts';
import { takeTransaction, type TaskTransaction } from './task-transaction.ts';
import type { OpenTask, StageRuntime, StageTask } from './stage-runtime.ts';
import { TaskCounters } from './task-counters.ts';
import type { Probe } from './stage-engine.ts';

/** Conflicts that are tried again at once; later ones wait with jitter. */
const IMMEDIATE_TRIES = 3;
const MAX_BACKOFF_MS = 2000;

/** Somebody else has gone on, or may have: begin again at the fence, or at A0. */
const BEGIN_AGAIN: ReadonlySet<string> = new Set(['MILLRACE_CONFLICT', 'MILLRACE_OUTCOME_UNKNOWN', 'MILLRACE_FENCED']);

type Sinks = ReadonlyMap<number, SinkWriter<unknown>>;

/** State that belongs to exactly the fence it stands beside. The attempt that holds it is its only owner. */
interface Held {
  node: FenceNode;
  readonly transaction: TaskTransaction | undefined;
  readonly state: CachedState['state'];
}

export const openFencedTask: OpenTask = (runtime, batch, deadline, counters) => new FencedTask(runtime, batch, deadline, counters);

/**
 * One batch of a task with a fence (protocol section 5). Correct under any repetition, re-cut, crash and delay: whatever was published
 * before a crash is published again with the same origins, and only the compare-and-set of the fence commits.
 */
class FencedTask implements StageTask {
  /** First offset that is known not to be applied. */
  next: number;
  private readonly runtime: StageRuntime;
  private readonly batch: InputBatch;
  private readonly task: string;
  private readonly store: TaskStore;
  private readonly counters: TaskCounters;
  private readonly deadline: number;

  constructor(runtime: StageRuntime, batch: InputBatch, deadline: number, counters: TaskCounters) {
    this.runtime = runtime;
    this.batch = batch;
    this.task = runtime.task(batch.topic, batch.partition);
    this.store = openTaskStore(runtime, batch.topic, batch.partition);
    this.counters = counters;
    this.deadline = deadline;
    this.next = batch.messages[0]?.offset ?? 0;
  }

  async run(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        if (await this.attempt()) return;
      } catch (error) {
        // The image and the sinks of the failed attempt are gone with it; the fence says where to begin.
        if (!isMillraceError(error) || !BEGIN_AGAIN.has(error.code)) throw error;
        if (error.code !== 'MILLRACE_OUTCOME_UNKNOWN') this.counters.conflicts++;
      }
      await this.pause(tries);
    }
  }

  /** True when the batch is applied; false to begin again at the fence. */
  private async attempt(): Promise<boolean> {
    const { topic, partition } = this.batch;
    const transaction = await takeTransaction(this.runtime, topic, partition); // A0
    try {
      const isApplied = await this.attemptWith(transaction);
      if (transaction) this.runtime.transactions.putBack(this.task, transaction);
      return isApplied;
    } catch (error) {
      void transaction?.close().catch(() => undefined); // never aborted: only a newer producer's first transaction ends what is under way
      throw error;
    }
  }

  private async attemptWith(transaction: TaskTransaction | undefined): Promise<boolean> {
    const node = await this.store.readFence(); // A1
    if (!node) {
      // Nothing is computed from a fence that is not there.
      await this.store.createFence(this.runtime.readsSource ? this.next : 0);
      return false;
    }
    const cached = this.runtime.states.take(this.task); // A2: taken out, so that it has one owner
    const state = await this.store.load(node, cached);
    if (!state) return false;
    if (state !== cached?.state) this.counters.coldState = true;
    if (!(await this.publishPending(node, transaction))) return false;
    const held: Held = { node, state, transaction };
    this.next = Math.max(this.next, node.fence.next);
    this.counters.watermark = node.fence.watermark;
    const messages = this.unapplied(node);
    const gap = messages[0] !== undefined && messages[0].offset > node.fence.next;
    if (gap) await this.settleGap(held, messages[0]?.offset ?? 0);
    else if (messages.length > 0) await this.applyAll(held, messages);
    this.runtime.states.putBack(this.task, { created: held.node.created, state }); // A9
    return !gap;
  }

  /** A4: drops what lies below the fence. */
  private unapplied({ fence }: FenceNode): readonly InputMessage[] {
    const { messages } = this.batch;
    const from = messages.findIndex((message) => message.offset >= fence.next);
    const known = from < 0 ? messages : messages.slice(0, from);
    const late = known.find((message) => message.isLogTime && message.time > fence.lastTime);
    if (late) {
      throw new MillraceError(
        'MILLRACE_TOPIC_WENT_BACK',
        `task ${this.task} has applied everything below offset ${fence.next}, but offset ${late.offset} was appended later than all of it: ` +
          `topic ${this.batch.topic} has been recreated or truncated. Start the pipeline with a new generation, or restore the topic`,
      );
    }
    this.counters.duplicates += known.length;
    return from < 0 ? [] : messages.slice(from);
  }

  /** The first offset lies above the fence: a gap, or an old read of the fence. The write finds out. */
  private async settleGap(held: Held, first: number): Promise<void> {
    const { fence } = held.node;
    if (!this.runtime.readsSource) {
      await this.store.check(held.node);
      throw channelGap(this.task, fence.next, first);
    }
    held.node = await this.store.commit(
      held.node,
      { ...fence, next: first, gaps: fence.gaps + 1, verdicts: new Map(), decided: -1, failures: [] },
      undefined,
    );
    this.counters.gaps++;
  }

  /** A5–A8, in parts if the batch is long: whole messages, well before the deadline, so that it gets on whatever its length. */
  private async applyAll(held: Held, messages: readonly InputMessage[]): Promise<void> {
    let rest = messages;
    while (rest.length > 0) {
      rest = rest.slice(await this.applyPart(held, rest));
      this.next = held.node.fence.next;
    }
    const due = this.store.dueFragments(held.node);
    if (due.size > 0) await this.compact(held, due);
  }

  /** Runs, publishes and commits a first part of the messages, or the verdicts on records that failed; returns how many were applied. */
  private async applyPart(held: Held, messages: readonly InputMessage[]): Promise<number> {
    const tasks = await this.runtime.tasks();
    const journal = this.takeJournal();
    const sinks = this.runtime.takeSinks(this.task, journal);
    let { run, outputs } = this.compute(held, messages, tasks, sinks);
    const { cuts, offset } = run;
    if (cuts.length > 0) {
      // Before the record is decided nothing beyond it may be published: only what comes before its message is run again.
      const before = messages.slice(0, run.applied);
      this.takeBack(held, sinks);
      ({ run, outputs } = this.compute(held, before, tasks, sinks));
      const [again] = run.cuts;
      if (again) throw recordFailed(this.task, `record ${again.position} of offset ${run.offset}`, again.failure); // an error that comes and goes: the batch comes again
    }
    outputs.applied = appliedInput(run, messages);
    const final = { watermark: run.risenWatermark, idleFrom: run.idleFrom };
    await outputs.publish(journal?.channels ?? this.runtime.ports.channels, this.runtime.plan.deadLetterTopic, final); // A6
    if (!journal) await this.publishTransaction(held.transaction, outputs, run.draft.next);
    const pending = journal?.take(await outputs.takeAppends(0));
    await this.commit(held, run, addVerdicts(run.draft, offset, cuts), pending); // A7
    this.count(run, outputs);
    if (pending) await this.sendPending(held.node, pending, held.transaction);
    this.runtime.sinks.putBack(this.task, sinks);
    if (journal) this.runtime.journals.putBack(this.task, journal);
    return run.applied;
  }

  /** Where a journal stage's outputs go before they are committed; kept together with the sinks that write to it. */
  private takeJournal(): OutputJournal | undefined {
    const { stage, journals, ports } = this.runtime;
    return stage.journal ? (journals.take(this.task) ?? new OutputJournal(ports.channels)) : undefined;
  }

  /** A3, even if the whole batch turns out to be known. False if what the fence names is gone: the fence was old. */
  private async publishPending(node: FenceNode, transaction: TaskTransaction | undefined): Promise<boolean> {
    const [name] = node.fence.pending;
    if (name === undefined || this.runtime.published.get(this.task) === name) return true;
    const pending = await this.store.readPending(node);
    if (pending) await this.sendPending(node, pending, transaction);
    return pending !== undefined;
  }

  /** Outputs of input that an earlier attempt has published are not sent again; a batch without new ones needs no transaction. */
  private async publishTransaction(transaction: TaskTransaction | undefined, outputs: BatchOutputs, next: number): Promise<void> {
    if (!transaction) return;
    const appends = await outputs.takeAppends(transaction.published ?? 0);
    if (appends.length > 0) await transaction.commit(appends, next, outputs.burial(appends, this.runtime.plan.deadLetterTopic));
  }

  private async sendPending({ fence }: FenceNode, pending: Uint8Array, transaction: TaskTransaction | undefined): Promise<void> {
    const appends = await publishJournal(pending, this.runtime.ports);
    if (transaction && appends.length > 0 && fence.next > (transaction.published ?? -1)) await transaction.commit(appends, fence.next);
    this.runtime.published.set(this.task, fence.pending[0] ?? '');
  }

  private compute(held: Held, messages: readonly InputMessage[], tasks: number, sinks: Sinks): { run: FencedRun; outputs: BatchOutputs } {
    const check = messages.length > 0 && !this.runtime.stage.journal && this.runtime.isCheckDue();
    const now = this.runtime.ports.clock.now();
    const share = (this.deadline - now) / (check ? 4 : 2); // a check runs all of it again
    const first = this.runOnce(held, messages, tasks, sinks, check ? new Map() : undefined, now + share);
    if (!check || first.run.cuts.length > 0) return first;
    const delta = held.state.delta(this.store.fragments);
    this.takeBack(held, sinks);
    const second = this.runOnce(held, messages.slice(0, first.run.applied), tasks, sinks, new Map(), Infinity); // exactly the same messages
    compareRuns(this.runtime.stage, first, second, delta.bytes, held.state.delta(this.store.fragments).bytes);
    return second;
  }

  private runOnce(
    held: Held,
    messages: readonly InputMessage[],
    tasks: number,
    sinks: Sinks,
    probe: Probe | undefined,
    enoughAt: number,
  ): { run: FencedRun; outputs: BatchOutputs; probe: Probe | undefined } {
    const { plan, stage, engine, ports } = this.runtime;
    const decode = this.runtime.decoderOf(this.batch);
    const outputs = this.runtime.outputs(this.task, tasks, sinks);
    const keys = this.runtime.options.reportKeys ? this.counters.keys : undefined;
    const { fence } = held.node;
    const run = new FencedRun({ plan, stage, engine, decode, outputs, probe, keys, task: this.task, fence, state: held.state });
    if (messages.length > 0) run.apply(messages, () => ports.clock.now() > enoughAt);
    run.retries = engine.retries;
    run.lateRecords = engine.context.lateRecords;
    return { run, outputs, probe };
  }

  private takeBack(held: Held, sinks: Sinks): void {
    held.state.rollback(0);
    for (const sink of sinks.values()) sink.reset(0);
  }

  private async commit(held: Held, run: FencedRun, decisions: Decisions, pending: Uint8Array | undefined): Promise<void> {
    const { state } = held;
    const delta = state.mark() > 0 ? state.delta(this.store.fragments) : undefined;
    const fence = { ...run.draft, ...decisions, seq: held.node.fence.seq + (delta ? 1 : 0) };
    held.node = await this.store.commit(held.node, fence, delta, pending);
    state.settle(fence.seq);
  }

  /** A8: still owner of the image. That somebody else has gone on, or that the outcome is not known, harms nobody: nothing was applied. */
  private async compact(held: Held, fragments: ReadonlySet<number>): Promise<void> {
    try {
      held.node = await this.store.compact(held.node, held.state, fragments);
    } catch (error) {
      if (!isMillraceError(error) || error.retry !== 'backoff') throw error;
    }
  }

  private count(run: FencedRun, outputs: BatchOutputs): void {
    this.runtime.countBatch(run.recordsIn);
    this.counters.recordsIn += run.recordsIn;
    this.counters.duplicates += run.duplicates;
    this.counters.tombstones += run.tombstones;
    this.counters.retries += run.retries;
    this.counters.lateRecords += run.lateRecords;
    this.counters.gaps += run.gaps;
    this.counters.watermark = run.draft.watermark;
    this.counters.countOutputs(outputs);
    this.counters.ingest.push(...run.ingest);
  }

  private async pause(tries: number): Promise<void> {
    if (tries < IMMEDIATE_TRIES) return;
    const { clock } = this.runtime.ports;
    const wait = Math.min(MAX_BACKOFF_MS, 10 * 2 ** (tries - IMMEDIATE_TRIES)) * (0.5 + clock.random() / 2);
    if (clock.now() + wait > this.deadline) {
      throw new MillraceError('MILLRACE_FENCED', `task ${this.task}: ${tries} attempts met newer commits by others; the batch comes again`);
    }
    await clock.sleep(wait);
  }
}

function appliedInput({ draft: { next, lastTime } }: FencedRun, messages: readonly InputMessage[]): AppliedInput {
  const timeBelow = (end: number): number =>
    messages.reduce((last, { offset, isLogTime, time }) => (isLogTime && offset < end ? Math.max(last, time) : last), -Infinity);
  return { next, lastTime, timeBelow };
}
