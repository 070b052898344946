import { type DeadLetterView, payloadText, viewPayload } from './dead-letter.ts';
import { type Cell, describeTable, preview, printable } from './text-table.ts';

/** Characters of a message and a payload in the list. */
const MAX_PREVIEW = 80;

interface Listed {
  readonly topic: string;
  /** Messages that the topic holds. */
  readonly written: number;
  /** Those that repeat another. */
  readonly copies: number;
  /** Dead letters that were asked for, of which the newest are shown. */
  readonly matching: number;
}

export function describeLetters(letters: readonly DeadLetterView[], { topic, written, copies, matching }: Listed): string {
  const count = (number: number): string => number.toLocaleString('en-US');
  const head = `topic ${topic}: ${count(written)} messages, ${count(copies)} of them copies; ${count(matching)} dead letters`;
  const older = matching > letters.length ? `; the newest ${count(letters.length)}, for more give --limit` : '';
  if (letters.length === 0) return `${head}\n`;
  return `${head}${older}\n${describeTable(['offset', 'time', 'stage', 'code', 'error', 'payload'], letters.map(cellsOf))}`;
}

function cellsOf({ offset, timestamp, stage, code, error, kind, value }: DeadLetterView): Cell[] {
  return [
    String(offset),
    timeOf(timestamp),
    printable(stage),
    printable(code),
    preview(error, MAX_PREVIEW),
    preview(payloadText(viewPayload(value, kind), 0), MAX_PREVIEW),
  ];
}

function timeOf(timestamp: number): string {
  return new Date(timestamp).toISOString();
}

/** All of one dead letter. `copies`: offsets of the same one, written again. */
export function describeLetter(letter: DeadLetterView, copies: readonly number[]): string {
  const { offset, timestamp, kind, key, truncatedFrom, traceparent, tracestate } = letter;
  const value = viewPayload(letter.value, kind);
  const keyView = viewPayload(key, kind);
  const rows: [string, string | undefined][] = [
    ['offset', `${offset}${copies.length > 0 ? ` (copies at ${copies.join(', ')})` : ''}`],
    ['time', timeOf(timestamp)],
    ['stage', letter.stage],
    ['task', letter.task],
    ['origin', letter.origin],
    ['kind', kind],
    ['refused by', letter.refusedBy === undefined ? undefined : `topic ${letter.refusedBy}`],
    ['code', letter.code],
    ['attempts', String(letter.attempts)],
    ['traceparent', traceparent],
    ['tracestate', tracestate],
    ['error', letter.error],
    ['key', keyView.form === 'none' ? undefined : `(${keyView.form}) ${payloadText(keyView, 0)}`],
  ];
  const lines = rows.filter(([, text]) => text !== undefined).map(([name, text = '']) => `${name.padEnd(12)}${printable(text)}\n`);
  const cut = truncatedFrom === undefined ? '' : `, cut from ${truncatedFrom} bytes`;
  const stack = letter.stack === '' ? '' : `\nstack\n${printable(letter.stack)}\n`;
  return `${lines.join('')}${describeHeaders(letter)}${stack}\npayload (${value.form}${cut})\n${printable(payloadText(value, 2))}\n`;
}

/** Those of the message, a line each. */
function describeHeaders({ headers, headersLeftOut = 0 }: DeadLetterView): string {
  if (headers.length + headersLeftOut === 0) return '';
  const lines = headers.map(([name, bytes]) => {
    const view = viewPayload(bytes, 'header');
    return `${printable(name)}: (${view.form}) ${printable(payloadText(view, 0))}\n`;
  });
  return `\nheaders of the message${headersLeftOut > 0 ? `, without ${headersLeftOut} that were too large` : ''}\n${lines.join('')}`;
}

/** One JSON line a letter. */
export function summarizeLetter({ key, value, headers, ...letter }: DeadLetterView): object {
  const views = headers.map(([name, bytes]) => ({ name, ...viewPayload(bytes, 'header') }));
  return { ...letter, headers: views, key: viewPayload(key, letter.kind), payload: viewPayload(value, letter.kind) };
}
