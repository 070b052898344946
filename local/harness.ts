import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { StagePlan } from '../functions/graph/stage-plan.ts';
import { isMillraceError, MillraceError } from '../functions/shared/errors.ts';
import { MemoryStateBackend } from '../functions/state/memory/memory-state-backend.ts';
import type { FeedSource } from '../functions/connectors/source.ts';
import type { StateBackend } from '../functions/state/state-backend.ts';
import { openDataDir, type DataDir } from './data-dir.ts';
import { openEmbeddedServer, type EmbeddedServer } from './embedded-server.ts';
import { openInvokeApi, type InvokeApi } from './emulator/invoke-api.ts';
import { readCollected } from './collected.ts';
import type { InputEnds } from './emulator/mapping-input.ts';
import { EndOfInput } from './end-of-input.ts';
import { embeddedHarnessLog } from './embedded-harness-log.ts';
import { fixInputEnds } from './input-ends.ts';
import { type FeedTurn, takeFeedTurn } from './feed-turn.ts';
import { Feeder } from './feeder.ts';
import type { FeedTopic, HarnessLog } from './harness-log.ts';
import type { HarnessOptions } from './harness-options.ts';
import { reportOf, type HarnessReport } from './harness-report.ts';
import { IdleClock } from './idle-clock.ts';
import { systemLocalClock, type LocalClock } from './local-clock.ts';
import { EmbeddedLog } from './log/embedded-log.ts';
import { checkStart, patiently } from './start-check.ts';
import { Slots } from './slots.ts';
import { openStateStore } from './state-store.ts';
import { StageRun } from './stage-run.ts';
import { TickClock } from './tick-clock.ts';

const MAX_CATCH_UP_MS = 30_000;
const CATCH_UP_POLL_MS = 5;

/** A pipeline that runs on this machine. */
export interface Harness {
  /** Where the pipeline's topics are, unless it runs on another log. */
  readonly embedded: EmbeddedLog;
  readonly log: HarnessLog;
  readonly state: StateBackend;
  /** Where `@aws-sdk/client-lambda` finds the stages' functions. */
  readonly invokeUrl: string;
  readonly stages: readonly StageRun[];
  /** Resolves when all bounded input is through (true) or the signal has stopped it (false); rejects if the run breaks. */
  readonly ended: Promise<boolean>;
  /** The figures as they stand. */
  progress(): HarnessReport;
  /** What `collect(name)` has collected so far, by name. @throws MILLRACE_MESSAGE_MISSING it is too much to be held. */
  collected(): Promise<Readonly<Record<string, readonly unknown[]>>>;
  /** Lets what is in flight end; begins nothing new. The log and the state can still be read. */
  drain(): Promise<void>;
  /** Drains and closes everything. */
  close(): Promise<void>;
}

/**
 * Runs a pipeline until its input has ended or the signal stops it; then drains, closes everything and reports.
 *
 * @throws MILLRACE_PORT_IN_USE, MILLRACE_DATA_INVALID, MILLRACE_BUNDLE_FAILED before the start; later what a source throws.
 */
export async function runHarness(options: HarnessOptions): Promise<HarnessReport> {
  const harness = await startHarness(options);
  try {
    await harness.ended;
    await harness.drain();
    return harness.progress();
  } finally {
    await harness.close();
  }
}

/** Starts a pipeline; the caller closes it. */
export async function startHarness(options: HarnessOptions): Promise<Harness> {
  const running = new RunningHarness(options);
  try {
    await running.start();
  } catch (error) {
    await running.close();
    throw error;
  }
  return running;
}

class RunningHarness implements Harness {
  readonly embedded: EmbeddedLog;
  readonly log: HarnessLog;
  readonly state: StateBackend;
  stages: readonly StageRun[] = [];
  ended: Promise<boolean> = Promise.resolve(false);
  private readonly options: HarnessOptions;
  private readonly clock: LocalClock;
  private readonly data: DataDir | undefined;
  private readonly feeders = new Map<string, Feeder>();
  private readonly feedTopics = new Set<FeedTopic>();
  /** Tells this run from others. */
  private readonly id = randomUUID();
  /** Results of the feeders, by source uid: true if the source ended. */
  private readonly feeding = new Map<string, Promise<boolean>>();
  private readonly stopFeeding = new AbortController();
  private server: EmbeddedServer | undefined;
  private api: InvokeApi | undefined;
  private ticks: TickClock | undefined;
  private idleness: IdleClock | undefined;
  private draining: Promise<void> | undefined;
  private closing: Promise<void> | undefined;
  private hasFinished = false;
  private hasFailed = false;

  constructor(options: HarnessOptions) {
    this.options = options;
    this.clock = options.clock ?? systemLocalClock;
    this.data = options.dataDir === undefined ? undefined : openDataDir(options.dataDir);
    try {
      // Over another log it stays empty, and in memory.
      const dataDir = options.log === undefined ? this.data?.path : undefined;
      this.embedded = new EmbeddedLog({ clock: this.clock, ...(dataDir === undefined ? {} : { dataDir }) });
      this.log = options.log ?? embeddedHarnessLog(this.embedded, options);
      this.state = options.openState ? options.openState() : this.data ? openStateStore(this.data.statePath) : new MemoryStateBackend();
    } catch (error) {
      this.data?.release();
      throw error;
    }
  }

  get invokeUrl(): string {
    return this.api?.url ?? '';
  }

  async start(): Promise<void> {
    await this.checkState();
    await this.log.prepare();
    this.server = await openEmbeddedServer(this.embedded, this.state);
    this.stages = await this.createStages(this.server.address);
    await this.checkStart();
    const functions = new Map(this.stages.map(({ emulator }) => [emulator.name, emulator]));
    this.api = await openInvokeApi({ functions, port: this.options.invokePort ?? 0, clock: this.clock });
    this.options.onEvent?.({ kind: 'started', invokeUrl: this.api.url, functions: [...functions.keys()] });
    const breaks = [...this.startFeeders(), ...this.startMappings()];
    this.startClocks();
    this.ended = this.run(breaks);
    // Whoever awaits it gets the error; nobody may.
    this.ended.catch(() => undefined);
  }

  progress(): HarnessReport {
    const { stages: runs, feeders } = this;
    return reportOf({ pipeline: this.options.plan.pipeline, runs, feeders, ok: !this.hasFailed, finished: this.hasFinished });
  }

  async collected(): Promise<Readonly<Record<string, readonly unknown[]>>> {
    const { collects = [] } = this.options.plan;
    const reading = collects.map(async ({ name, topic }) => {
      const { left, why, messages } = await this.log.contents(topic);
      if (left > 0)
        throw new MillraceError(
          'MILLRACE_MESSAGE_MISSING',
          `${left} of what collect('${name}') has collected ${why}: write them with a sink`,
        );
      return [name, readCollected(messages)] as const;
    });
    return Object.fromEntries(await Promise.all(reading));
  }

  drain(): Promise<void> {
    return (this.draining ??= this.drainAll());
  }

  close(): Promise<void> {
    return (this.closing ??= this.closeAll());
  }

  private createStages(address: string): Promise<StageRun[]> {
    const { options, log, clock } = this;
    const cores = availableParallelism();
    const environments = options.concurrency ?? Math.max(1, Math.floor(cores / options.plan.stages.length));
    const slots = new Slots(options.slots ?? Math.max(2, cores, environments), 1);
    const env = { MILLRACE_STATE: 'embedded', ...options.env, ...log.env, MILLRACE_EMBEDDED: address };
    const opening = options.plan.stages.map(async (stage, rank) => {
      const bundlePath = options.bundles.get(stage.id);
      if (bundlePath === undefined) throw new MillraceError('MILLRACE_BUNDLE_FAILED', `there is no bundle of stage ${stage.id}`);
      const input = await log.openInput(stage, await this.inputEnds(stage));
      return new StageRun(stage, { options, log, input, slots, environments, clock, env, bundlePath, rank });
    });
    return Promise.all(opening);
  }

  /** Before a topic is made: what a store that can't be reached, or a missing chroot, ends shall leave nothing behind. */
  private async checkState(): Promise<void> {
    const { plan, openState } = this.options;
    if (openState) await patiently(this.clock, () => this.state.read(`/millrace/${plan.namespace}/${plan.pipeline}`));
  }

  private inputEnds(stage: StagePlan): Promise<InputEnds | undefined> {
    const { log, state } = this;
    return fixInputEnds(stage, { plan: this.options.plan, state, stopOffsets: (topic, stop) => log.stopOffsets(topic, stop) });
  }

  private async checkStart(): Promise<void> {
    const { log, clock } = this;
    const { plan, fenceProgress } = this.options;
    if (!fenceProgress) return;
    await checkStart({
      ...{ plan, clock },
      partitions: (stage) => this.runOf(stage).partitions,
      ends: (topic) => log.ends(topic),
      fenceProgress: (stage, topic, partition) => fenceProgress(this.state, stage, topic, partition),
    });
  }

  private runOf(stage: StagePlan): StageRun {
    return this.stages.find((run) => run.stage === stage) as StageRun;
  }

  private startMappings(): Promise<unknown>[] {
    return this.stages.map(({ mapping }) => mapping.start());
  }

  private startFeeders(): Promise<unknown>[] {
    return this.options.plan.feeds.map(({ uid, topic }) => {
      const source = this.options.feeds.get(uid);
      if (!source)
        throw new MillraceError('MILLRACE_PLAN_MISMATCH', `the plan feeds source ${uid}, which this pipeline does not have; plan it again`);
      const feeding = this.feed(uid, topic, source);
      this.feeding.set(uid, feeding);
      feeding.catch(() => undefined); // looked at when all have begun
      return feeding;
    });
  }

  /** True when the source has been fed to its end; false if the harness stops before. */
  private async feed(uid: string, topic: string, source: FeedSource<unknown>): Promise<boolean> {
    for (;;) {
      const turn = await this.takeFeedTurn(uid);
      if (!turn) return false;
      const target = await this.log.openFeed(topic);
      this.feedTopics.add(target);
      const feeder = new Feeder(target, source, AbortSignal.any([this.stopFeeding.signal, turn.lost]));
      this.feeders.set(topic, feeder);
      const hasEnded = await feeder.run();
      const { written, skipped } = feeder.stats;
      if (hasEnded) this.options.onEvent?.({ kind: 'feedDone', uid, records: written + skipped });
      if (hasEnded || this.stopFeeding.signal.aborted) return hasEnded;
      // Another run may feed by now: what it has written is looked at before it goes on.
      this.feedTopics.delete(target);
      await target.close();
    }
  }

  /** Where runs share their state, one of them feeds. */
  private async takeFeedTurn(uid: string): Promise<FeedTurn | undefined> {
    const { plan, coordination, onEvent } = this.options;
    const shared = coordination?.(this.state);
    if (!shared) return { lost: this.stopFeeding.signal };
    return takeFeedTurn({
      coordination: shared,
      path: `/millrace/${plan.namespace}/${plan.pipeline}/feeders/${uid}`,
      holder: this.id,
      onWait: () => onEvent?.({ kind: 'feedWaits', uid }),
      signal: this.stopFeeding.signal,
    });
  }

  private startClocks(): void {
    const { makeTick, tickMs = 1000, plan } = this.options;
    this.idleness = new IdleClock({ plan, targets: this.stages, log: this.log, clock: this.clock });
    this.idleness.start();
    if (!makeTick) return;
    this.ticks = new TickClock(this.log, this.stages, tickMs, this.clock, makeTick);
    this.ticks.start();
  }

  /** Waits for the end, the signal or a break; `breaks` matter only if they reject. */
  private async run(breaks: readonly Promise<unknown>[]): Promise<boolean> {
    const { signal } = this.options;
    const broken = Promise.all(breaks).then(() => new Promise<never>(() => undefined));
    const stopped = new Promise<false>((resolve) => {
      if (signal?.aborted) resolve(false);
      signal?.addEventListener('abort', () => resolve(false), { once: true });
    });
    const finished = this.endOfInput().then(() => true);
    try {
      this.hasFinished = await Promise.race([finished, stopped, broken]);
    } catch (error) {
      this.hasFailed = true;
      throw error;
    }
    if (!this.hasFinished) this.options.onEvent?.({ kind: 'draining' });
    return this.hasFinished;
  }

  private endOfInput(): Promise<void> {
    const { plan, fenceProgress } = this.options;
    const end = new EndOfInput({
      plan,
      partitions: (stage) => this.runOf(stage).partitions,
      feedDone: (stage) => this.feedDone(stage),
      invokeEnd: (stage, partition, event) => this.runOf(stage).invokeEnd(partition, event),
      fenceProgress: fenceProgress && ((stage, topic, partition) => fenceProgress(this.state, stage, topic, partition)),
      onUpstreamsDone: (stage) => {
        this.ticks?.leaveOut(stage.id);
        this.idleness?.leaveOut(stage.id);
        this.runOf(stage).mapping.hurry();
      },
    });
    return end.run();
  }

  /** Resolves when a bounded source has been fed to its end; at once for a topic with an end; never for another one, and when feeding stops early. */
  private async feedDone({ input }: StagePlan): Promise<void> {
    if (input.kind === 'source' && input.stop !== undefined) return;
    const feeding = input.kind === 'source' && input.bounded ? this.feeding.get(input.uid) : undefined;
    // A feeder that breaks ends the run by itself.
    const hasEnded = await feeding?.catch(() => false);
    if (hasEnded !== true) await new Promise<never>(() => undefined);
  }

  /** From the source on: a mapping may wait for room in a channel, which the stage behind it still makes. */
  private async drainAll(): Promise<void> {
    this.stopFeeding.abort();
    this.ticks?.stop();
    this.idleness?.stop();
    await this.api?.close();
    for (const stage of this.stages) {
      if (!this.log.isDurable && !isMillraceError(this.options.signal?.reason)) await this.catchUp(stage);
      await stage.drain();
    }
  }

  /** Lets a stage read what is in its topics: without a data folder it would be lost. Not for a batch that fails. */
  private async catchUp({ mapping }: StageRun): Promise<void> {
    mapping.hurry();
    const { retries } = mapping.stats;
    const until = this.clock.now() + MAX_CATCH_UP_MS;
    while (mapping.lag > 0 && mapping.stats.retries === retries && this.clock.now() < until) {
      await new Promise<void>((resolve) => this.clock.after(CATCH_UP_POLL_MS, resolve));
    }
  }

  private async closeAll(): Promise<void> {
    // One after the other, whatever becomes of the one before: the lock of the data folder comes last.
    const steps = [
      () => this.drain(),
      ...this.stages.map((stage) => () => stage.close()),
      ...[...this.feedTopics].map((topic) => () => topic.close()),
      () => this.server?.close(),
      () => this.log.close(),
      () => this.embedded.close(),
      () => this.state.close(),
      () => this.data?.release(),
    ];
    const errors: unknown[] = [];
    for (const step of steps) {
      try {
        await step();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}
