import type { FeedSource } from '../functions/connectors/source.ts';
import type { Coordination } from '../functions/coordination/coordination.ts';
import type { PipelinePlan, StagePlan } from '../functions/graph/stage-plan.ts';
import type { StateBackend } from '../functions/state/state-backend.ts';
import type { FenceProgress } from './end-of-input.ts';
import type { HarnessLog } from './harness-log.ts';
import type { LocalClock } from './local-clock.ts';

/** What to run, and how. */
export interface HarnessOptions {
  readonly plan: PipelinePlan;
  /** Sources that are no topics, by their uid. */
  readonly feeds: ReadonlyMap<string, FeedSource<unknown>>;
  /** Bundle file of each stage, by its id. */
  readonly bundles: ReadonlyMap<string, string>;
  /** Environment variables of all functions; the harness adds those of the embedded log and state store. */
  readonly env?: Readonly<Record<string, string>>;
  /** Log to run on, which the harness closes. @default - the embedded one */
  readonly log?: HarnessLog;
  /** Opens another state store, which `env` tells functions of and the harness closes. @default - the embedded one */
  readonly openState?: () => StateBackend;
  /** Sessions of a state store that several runs share: there one of them feeds. @default - this run is the only one */
  readonly coordination?: (state: StateBackend) => Coordination;
  /** Folder that keeps log, committed offsets and state for the next run. @default - nothing outlives the run */
  readonly dataDir?: string;
  /** Port of the Invoke API on loopback. @default 0, any that is free */
  readonly invokePort?: number;
  /** Most invocations at once, over all stages. @default - number of cores, at least 2 and `concurrency` */
  readonly slots?: number;
  /**
   * Most invocations of one stage at once; more wait. Each execution environment compiles the bundle's hot code for itself, which costs
   * more than it brings while other stages can use the cores. Where batches mostly wait for services, more of them shorten the latency.
   *
   * @default - cores / stages, at least 1
   */
  readonly concurrency?: number;
  /** Lambda's reserved concurrency: more invocations of a function are throttled. @default 1000 */
  readonly reservedConcurrency?: number;
  /** Upper bound of the plan's batch window, for short latencies on one machine, in ms. @default 20 */
  readonly maxWindowMs?: number;
  /** Waits between attempts of a failing batch, in ms. @default 100, doubled up to 5000 */
  readonly backOff?: { readonly firstMs: number; readonly maxMs: number };
  /** Packs several partitions into one event, as Lambda may. @default false */
  readonly mixPartitions?: boolean;
  /** Partitions of users' topics that the plan does not know, by name. @default 4 each */
  readonly topicPartitions?: Readonly<Record<string, number>>;
  /** How far a feeder may run ahead of the slowest mapping, in bytes of one partition. @default 512 KiB */
  readonly feedLeadBytes?: number;
  readonly clock?: LocalClock;
  /**
   * Stops the run: feeders end, and what is in the topics is drained. Aborted with an error of Millrace, only what is in flight ends.
   */
  readonly signal?: AbortSignal;
  /** A line that a function printed. */
  readonly onPrint?: (printed: { readonly stage: string; readonly line: string }) => void;
  readonly onEvent?: (event: HarnessEvent) => void;
  /** How far a task's fence has come; without it, a stage counts as done when its mapping has caught up. */
  readonly fenceProgress?: (state: StateBackend, stage: StagePlan, topic: string, partition: number) => Promise<FenceProgress | undefined>;
  /** A frame that only carries time, for stages that want one every second. */
  readonly makeTick?: (stage: StagePlan, partition: number, time: number) => Uint8Array | undefined;
  /** @default 1000 */
  readonly tickMs?: number;
}

/** What happens beside the records. */
export type HarnessEvent =
  | { readonly kind: 'started'; readonly invokeUrl: string; readonly functions: readonly string[] }
  /** A batch that will come again. `code`: Millrace's, if the function threw one. */
  | { readonly kind: 'failure'; readonly stage: string; readonly reason: string; readonly code?: string; readonly trace: readonly string[] }
  /** A line that a function wrote to stderr. */
  | { readonly kind: 'log'; readonly stage: string; readonly line: string }
  /** Another run feeds this source, for now. */
  | { readonly kind: 'feedWaits'; readonly uid: string }
  /** Attempts of a task that met newer commits, for the first time in this run. */
  | { readonly kind: 'conflict'; readonly stage: string; readonly task: string }
  | { readonly kind: 'feedDone'; readonly uid: string; readonly records: number }
  | { readonly kind: 'draining' };
