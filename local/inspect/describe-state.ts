import type { StagePlan } from '../../functions/graph/stage-plan.ts';
import { describeTime, jsonTime } from '../describe-time.ts';
import { inputTopics } from '../stage-topics.ts';
import { checkKnown } from './action.ts';
import type { TaskView } from './state-reader.ts';
import { sizeTables, type TableSize } from './table-size.ts';
import { type Cell, describeTable } from './text-table.ts';

const TASK_TITLES = ['task', 'next', 'watermark', 'seq', 'deltas', 'stored bytes', 'gaps', 'verdicts', 'pending'];
const TABLE_TITLES = ['operator', 'state', 'kind', 'keys', 'entries', 'bytes'];

/** A stage's tasks and tables. */
export function describeStage(stage: StagePlan, tasks: readonly TaskView[]): string {
  const topics = inputTopics(stage).join(', ');
  const tables = sizeTables(tasks);
  const head = `stage ${stage.id} reads ${topics}: ${tasks.length} tasks with a fence\n`;
  const shown = tasks.length > 0 ? describeTable(TASK_TITLES, tasks.map(taskCells)) : '';
  return `${head}${shown}${tables.length > 0 ? `\n${describeTable(TABLE_TITLES, tables.map(tableCells))}` : ''}`;
}

function taskCells(task: TaskView): Cell[] {
  const { next, watermark, seq, deltas, storedBytes, gaps, verdicts, pending } = summarizeTask(task);
  return [`${task.topic}-${task.partition}`, next, describeTime(watermark), seq, deltas, storedBytes, gaps, verdicts, pending];
}

function tableCells({ operator, state, kind, keys, entries, bytes }: TableSize): Cell[] {
  return [operator, state, kind, keys, entries, bytes];
}

interface TaskSummary {
  /** First input offset that has not been applied. */
  readonly next: number;
  readonly watermark: number;
  readonly seq: number;
  readonly deltas: number;
  /** Of images and deltas. */
  readonly storedBytes: number;
  readonly gaps: number;
  readonly verdicts: number;
  /** Nodes with outputs of a journal stage that may not have been sent. */
  readonly pending: number;
}

function summarizeTask({ node: { fence } }: TaskView): TaskSummary {
  const { next, watermark, seq, deltas, images, gaps, verdicts, pending } = fence;
  const storedBytes = [...images, ...deltas].reduce((sum, { bytes }) => sum + bytes, 0);
  return { next, watermark, seq, deltas: deltas.length, storedBytes, gaps, verdicts: verdicts.size, pending: pending.length };
}

/** `describeStage` for machines; a watermark that is no number in JSON is text: `Infinity`, `-Infinity`. */
export function summarizeStage({ id }: StagePlan, tasks: readonly TaskView[]): object {
  const summaries = tasks.map((task) => {
    const { watermark, ...summary } = summarizeTask(task);
    const { topic, partition } = task;
    return { topic, partition, watermark: jsonTime(watermark), ...summary };
  });
  return { stage: id, tasks: summaries, tables: sizeTables(tasks) };
}

/** The tables of a stage; given one, `OPERATOR/STATE`, that one task by task. */
export function describeTables(stage: StagePlan, tasks: readonly TaskView[], table: string | undefined): string {
  const head = `stage ${stage.id}\n`;
  if (table === undefined) return `${head}${describeTable(TABLE_TITLES, sizeTables(tasks).map(tableCells))}`;
  const rows = sizesByTask(tasks, table).map(({ task, ...size }): Cell[] => [task, size.kind, size.keys, size.entries, size.bytes]);
  return `${head}${describeTable(['task', 'kind', 'keys', 'entries', 'bytes'], rows)}`;
}

export function summarizeTables({ id }: StagePlan, tasks: readonly TaskView[], table: string | undefined): object {
  return { stage: id, tables: table === undefined ? sizeTables(tasks) : sizesByTask(tasks, table) };
}

function sizesByTask(tasks: readonly TaskView[], table: string): (TableSize & { readonly task: string })[] {
  const nameOf = ({ operator, state }: TableSize): string => `${operator}/${state}`;
  if (tasks.length > 0) checkKnown('table', table, [...new Set(sizeTables(tasks).map(nameOf))]);
  return tasks.flatMap((task) =>
    sizeTables([task])
      .filter((size) => nameOf(size) === table)
      .map((size) => ({ task: `${task.topic}-${task.partition}`, ...size })),
  );
}
