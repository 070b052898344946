import type { PipelinePlan, StagePlan } from '../functions/graph/stage-plan.ts';
import { isMillraceError, MillraceError } from '../functions/shared/errors.ts';
import type { InputPartition } from './emulator/mapping-input.ts';
import type { FenceProgress } from './end-of-input.ts';
import type { LocalClock } from './local-clock.ts';

export interface StartCheckOptions {
  readonly plan: PipelinePlan;
  readonly partitions: (stage: StagePlan) => readonly Pick<InputPartition, 'topic' | 'partition'>[];
  /** Offsets behind the last records of a topic, by partition. */
  readonly ends: (topic: string) => Promise<readonly number[]>;
  readonly fenceProgress: (stage: StagePlan, topic: string, partition: number) => Promise<FenceProgress | undefined>;
  readonly clock: LocalClock;
}

/** How long a state store may be away at the start, as while it elects a leader, in ms. */
const PATIENCE_MS = 30_000;
const RETRY_MS = 500;

/**
 * Holds what tasks have applied against what the logs hold, before anything is fed: a log that ends before it has been recreated or
 * truncated, and all that it gets until it is as long again would be taken for known. Also finds out now what is wrong with the state store.
 *
 * What it cannot see: a topic that was made anew and is as long already. Where the log sets the times, a task's fence sees that one by them.
 *
 * @throws MILLRACE_TOPIC_WENT_BACK; what reading a fence throws.
 */
export async function checkStart(options: StartCheckOptions): Promise<void> {
  const tasks = await readTasks(options);
  // After the fences: another run may be at work, and log ends only grow.
  const topics = new Set(options.plan.stages.flatMap((stage) => options.partitions(stage).map(({ topic }) => topic)));
  const ends = new Map<string, number>();
  if (tasks.length === 0) return;
  await Promise.all(
    [...topics].map(async (topic) => {
      for (const [partition, end] of (await options.ends(topic)).entries()) ends.set(`${topic}-${partition}`, end);
    }),
  );
  const bounded = new Set(options.plan.stages.flatMap(({ id, input }) => (input.kind === 'source' && input.bounded ? [id] : [])));
  for (const task of tasks) checkTask(task, ends, bounded);
}

interface TaskProgress extends FenceProgress {
  readonly stage: string;
  /** `<topic>-<partition>` */
  readonly input: string;
}

async function readTasks({ plan, partitions, fenceProgress, clock }: StartCheckOptions): Promise<TaskProgress[]> {
  const tasks = plan.stages
    .filter(({ fenced }) => fenced)
    .flatMap((stage) => partitions(stage).map(({ topic, partition }) => ({ stage, topic, partition })));
  const found = await Promise.all(
    tasks.map(async ({ stage, topic, partition }) => {
      const progress = await patiently(clock, () => fenceProgress(stage, topic, partition));
      return progress && { stage: stage.id, input: `${topic}-${partition}`, ...progress };
    }),
  );
  return found.filter((task) => task !== undefined);
}

function checkTask(
  { stage, input, next, watermark, upstreams }: TaskProgress,
  ends: ReadonlyMap<string, number>,
  bounded: ReadonlySet<string>,
): void {
  const end = ends.get(input) ?? 0;
  // The end of a bounded source stands behind its last record, where no record is.
  const ended = watermark === Infinity ? 1 : 0;
  if (next > end + ended) throw wentBack(`task ${stage}/${input} has applied everything below offset ${next}`, input, end);
  for (const [upstream, offset] of upstreams) {
    const log = upstream.slice(upstream.indexOf('/') + 1, upstream.lastIndexOf('@'));
    const logEnd = ends.get(log);
    const behindEnd = bounded.has(upstream.slice(0, upstream.indexOf('/'))) ? 1 : ended;
    if (logEnd !== undefined && offset >= logEnd + behindEnd)
      throw wentBack(`task ${stage}/${input} has applied what ${upstream} made of offset ${offset}`, log, logEnd);
  }
}

function wentBack(what: string, partition: string, end: number): MillraceError {
  return new MillraceError(
    'MILLRACE_TOPIC_WENT_BACK',
    `${what}, but ${partition} ends at ${end}: its topic has been recreated or truncated, and new records would be taken for known ones. ` +
      'Restore the topic, or start with another --namespace',
  );
}

/** A state store may be away for a moment. */
export async function patiently<T>(clock: LocalClock, read: () => Promise<T>): Promise<T> {
  for (const start = clock.now(); ;) {
    try {
      return await read();
    } catch (error) {
      if (!isMillraceError(error) || error.retry === 'never' || clock.now() - start > PATIENCE_MS) throw error;
      await clock.sleep(RETRY_MS);
    }
  }
}
