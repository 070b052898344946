import type { PipelinePlan } from '../functions/graph/stage-plan.ts';
import type { EmbeddedLog } from './log/embedded-log.ts';
import type { LogRecord } from './log/segment.ts';

/** Rows of one topic that are shown. */
const MAX_ROWS = 20;
/** Kinds of dead letters that are shown, and of each letter so many characters. */
const MAX_KINDS = 5;
const MAX_PREVIEW = 100;
const READ = { maxRecords: 10_000, maxBytes: 8 * 1024 * 1024 };

/**
 * What the run's topics hold, for people: of each sink's topic the last message of each key, as a compacted topic would keep it; and what
 * went to dead letters, and why.
 */
export function describeResults(
  log: EmbeddedLog,
  { sinkTopics, deadLetterTopic }: Pick<PipelinePlan, 'sinkTopics' | 'deadLetterTopic'>,
): string {
  return sinkTopics.map((topic) => describeTopic(log, topic)).join('') + describeDeadLetters(log, deadLetterTopic);
}

interface DeadLetterKind {
  count: number;
  readonly text: string;
  readonly first: string;
}

function describeDeadLetters(log: EmbeddedLog, topic: string): string {
  const kinds = new Map<string, DeadLetterKind>();
  const { messages, dropped } = countMessages(log, topic);
  for (const { headers, value } of readTopic(log, topic)) {
    const header = (name: string): string => Buffer.from(headers.find(([one]) => one === name)?.[1] ?? []).toString();
    const text = `${header('millrace-code')} in stage ${header('millrace-stage')}: ${header('millrace-error')}`;
    const kind = kinds.get(text) ?? { count: 0, text, first: preview(value) };
    // Messages may tell of each record anew; so only a handful of kinds is kept.
    if (kinds.size < MAX_KINDS || kinds.has(text)) kinds.set(text, kind);
    kind.count++;
  }
  if (messages === 0) return '';
  const lines = [...kinds.values()].map(
    ({ count, text, first }) => `  ${count.toLocaleString('en-US')} × ${text}\n      first: ${first}\n`,
  );
  const told = [...kinds.values()].reduce((sum, { count }) => sum + count, 0);
  const more = told < messages ? `  … and ${(messages - told).toLocaleString('en-US')} others\n` : '';
  return `\ndead letters in topic ${topic}: ${messages.toLocaleString('en-US')}${describeDropped(dropped)}\n${lines.join('')}${more}`;
}

function preview(value: Uint8Array | null): string {
  const text = value ? Buffer.from(value).toString() : '(no value)';
  const printable = text.replaceAll(/[\p{Cc}\ufffd]/gu, '·');
  return printable.length > MAX_PREVIEW ? `${printable.slice(0, MAX_PREVIEW)}…` : printable;
}

function describeTopic(log: EmbeddedLog, topic: string): string {
  const { messages, dropped } = countMessages(log, topic);
  const last = readLast(log, topic);
  if (last.size === 0) return `\ntopic ${topic}: ${messages.toLocaleString('en-US')} messages, none with a key\n`;
  const keys = [...last.keys()].sort((a, b) => a.localeCompare(b, 'en-US', { numeric: true }));
  const rows = keys.slice(0, MAX_ROWS).map((key) => rowOf(key, last.get(key)));
  const more = keys.length > MAX_ROWS ? `  … and ${keys.length - MAX_ROWS} more keys\n` : '';
  const head = `\ntopic ${topic}: ${messages.toLocaleString('en-US')} messages; the last of each of ${keys.length} keys${describeDropped(dropped)}\n`;
  return `${head}${table(rows)}${more}`;
}

/** Messages that were written, and how many of them retention has dropped: all that is read here is the rest. */
function countMessages(log: EmbeddedLog, topic: string): { messages: number; dropped: number } {
  const partitions = log.partitions(topic);
  return {
    messages: partitions.reduce((sum, { endOffset }) => sum + endOffset, 0),
    dropped: partitions.reduce((sum, { startOffset }) => sum + startOffset, 0),
  };
}

function describeDropped(dropped: number): string {
  return dropped > 0 ? ` (the oldest ${dropped.toLocaleString('en-US')} messages are no longer held; --data keeps more)` : '';
}

function readLast(log: EmbeddedLog, topic: string): Map<string, Uint8Array | null> {
  const last = new Map<string, Uint8Array | null>();
  for (const { key, value } of readTopic(log, topic)) {
    if (key) last.set(Buffer.from(key).toString(), value);
  }
  return last;
}

function* readTopic(log: EmbeddedLog, topic: string): Generator<LogRecord> {
  for (const { partition, startOffset, endOffset } of log.partitions(topic)) {
    for (let from = startOffset; from < endOffset;) {
      const records = log.read(topic, partition, from, READ);
      if (records.length === 0) break;
      yield* records;
      from = (records.at(-1)?.offset ?? endOffset) + 1;
    }
  }
}

type Row = Readonly<Record<string, unknown>>;

function rowOf(key: string, value: Uint8Array | null | undefined): Row {
  const text = value ? Buffer.from(value).toString() : '';
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Row;
  } catch {
    // Not JSON: shown as it is.
  }
  return { key, value: text };
}

function table(rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = [columns, ...rows.map((row) => columns.map((column) => cell(row[column])))];
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => line[i]?.length ?? 0)));
  const isText = columns.map((column) => rows.some((row) => typeof row[column] === 'string'));
  const lines = cells.map((line) => line.map((text, i) => (isText[i] ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0))));
  return lines.map((line) => `  ${line.join('  ').trimEnd()}\n`).join('');
}

function cell(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : value.toFixed(2);
  return value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
}
