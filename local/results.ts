import type { PipelinePlan } from '../functions/graph/stage-plan.ts';
import type { TopicContents } from './harness-log.ts';
import { toJsonView } from './inspect/json-view.ts';

/** Rows of one topic that are shown. */
const MAX_ROWS = 20;
/** Kinds of dead letters that are shown, and of each letter so many characters. */
const MAX_KINDS = 5;
const MAX_PREVIEW = 100;

/**
 * What the run's topics hold, for people: of each sink's topic the last message of each key, as a compacted topic would keep it; and what
 * went to dead letters, and why.
 */
export async function describeResults(
  contents: (topic: string) => Promise<TopicContents>,
  { sinkTopics, deadLetterTopic }: Pick<PipelinePlan, 'sinkTopics' | 'deadLetterTopic'>,
): Promise<string> {
  const texts: string[] = [];
  for (const topic of sinkTopics) texts.push(describeTopic(topic, await contents(topic)));
  return texts.join('') + describeDeadLetters(deadLetterTopic, await contents(deadLetterTopic));
}

/** What was collected, the first records of each name. */
export function describeCollected(collected: Readonly<Record<string, readonly unknown[]>>): string {
  const texts = Object.entries(collected).map(([name, records]) => {
    const rows = records.slice(0, MAX_ROWS).map((record) => `  ${JSON.stringify(toJsonView(record))}\n`);
    const more = records.length > MAX_ROWS ? `  … and ${(records.length - MAX_ROWS).toLocaleString('en-US')} more\n` : '';
    return `\ncollected ${name}: ${records.length.toLocaleString('en-US')} ${records.length === 1 ? 'record' : 'records'}\n${rows.join('')}${more}`;
  });
  return texts.join('');
}

/** Dead letters of one code and stage: messages may tell of each record anew. */
interface DeadLetterKind {
  count: number;
  readonly name: string;
  /** Message and payload of the first. */
  readonly error: string;
  readonly payload: string;
  hasOthers: boolean;
}

function describeDeadLetters(topic: string, contents: TopicContents): string {
  const kinds = new Map<string, DeadLetterKind>();
  const { written, messages } = contents;
  if (written === 0) return '';
  let seen = 0;
  for (const { headers, value } of messages) {
    const header = (name: string): string => Buffer.from(headers.find(([one]) => one === name)?.[1] ?? []).toString();
    const name = `${header('millrace-code')} in stage ${header('millrace-stage')}`;
    const error = header('millrace-error');
    let kind = kinds.get(name);
    if (!kind) kinds.set(name, (kind = { count: 0, name, error, payload: preview(value), hasOthers: false }));
    kind.count++;
    seen++;
    kind.hasOthers ||= error !== kind.error;
  }
  const shown = [...kinds.values()].sort((a, b) => b.count - a.count).slice(0, MAX_KINDS);
  const lines = shown.map(({ count, name, error, payload, hasOthers }) => {
    const example = `${hasOthers ? ', for example' : ''}: ${error}`;
    return `  ${count.toLocaleString('en-US')} × ${name}${example}\n      first: ${payload}\n`;
  });
  const told = shown.reduce((sum, { count }) => sum + count, 0);
  const more = told < seen ? `  … and ${(seen - told).toLocaleString('en-US')} of other kinds\n` : '';
  return `\ndead letters in topic ${topic}: ${written.toLocaleString('en-US')}${describeLeft(contents)}\n${lines.join('')}${more}`;
}

function preview(value: Uint8Array | null): string {
  const text = value ? Buffer.from(value).toString() : '(no value)';
  const printable = text.replaceAll(/[\p{Cc}\ufffd]/gu, '·');
  return printable.length > MAX_PREVIEW ? `${printable.slice(0, MAX_PREVIEW)}…` : printable;
}

function describeTopic(topic: string, contents: TopicContents): string {
  const written = contents.written.toLocaleString('en-US');
  const last = readLast(contents);
  if (last.size === 0) return `\ntopic ${topic}: ${written} messages, none with a key${describeLeft(contents)}\n`;
  const keys = [...last.keys()].sort((a, b) => a.localeCompare(b, 'en-US', { numeric: true }));
  const rows = keys.slice(0, MAX_ROWS).map((key) => rowOf(key, last.get(key)));
  const more = keys.length > MAX_ROWS ? `  … and ${keys.length - MAX_ROWS} more keys\n` : '';
  const head = `\ntopic ${topic}: ${written} messages; the last of each of ${keys.length} keys${describeLeft(contents)}\n`;
  return `${head}${table(rows)}${more}`;
}

function describeLeft({ left, why }: TopicContents): string {
  return left > 0 ? ` (the oldest ${left.toLocaleString('en-US')} messages ${why})` : '';
}

function readLast({ messages }: TopicContents): Map<string, Uint8Array | null> {
  const last = new Map<string, Uint8Array | null>();
  for (const { key, value } of messages) {
    if (key) last.set(Buffer.from(key).toString(), value);
  }
  return last;
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
