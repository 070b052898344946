import { decodeValue } from '../../functions/codec/value.ts';
import { headersBehind } from '../../functions/runtime/dead-letter.ts';
import type { TopicMessage } from '../kafka/topic-reader.ts';
import { toJsonView } from './json-view.ts';

/** A payload in the most readable form that loses nothing. */
export type PayloadView =
  | { readonly form: 'none' }
  /** `millrace`: it stands in Millrace's own encoding, and is shown as `toJsonView` does. */
  | { readonly form: 'json' | 'millrace'; readonly value: unknown }
  | { readonly form: 'text' | 'hex'; readonly value: string };

/** What a message of a dead-letter topic says; a header that is missing reads as an empty text. */
export interface DeadLetterView {
  readonly partition: number;
  readonly offset: number;
  /** In ms. */
  readonly timestamp: number;
  readonly origin: string;
  readonly kind: string;
  readonly stage: string;
  readonly task: string;
  readonly code: string;
  readonly error: string;
  readonly stack: string;
  readonly attempts: number;
  /** Length in bytes that the payload had, where it was cut. */
  readonly truncatedFrom?: number;
  /** Timestamp that a source's message had, or an output, in ms. */
  readonly messageTime?: number;
  /** Topic that refused an output. */
  readonly refusedBy?: string;
  /** Of the message that it was, as far as they were kept. */
  readonly headers: readonly (readonly [name: string, value: Uint8Array])[];
  /** Number of those that were not. */
  readonly headersLeftOut?: number;
  readonly traceparent?: string;
  readonly tracestate?: string;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
}

export function parseDeadLetter(message: TopicMessage): DeadLetterView {
  const header = (name: string): string | undefined => {
    const found = message.headers.find(([one]) => one === name);
    return found && Buffer.from(found[1]).toString();
  };
  const told = (name: string): string => header(`millrace-${name}`) ?? '';
  const [truncated, messageTime, refusedBy] = [header('millrace-truncated'), header('millrace-timestamp'), header('millrace-topic')];
  const leftOut = header('millrace-headers-left-out');
  const [traceparent, tracestate] = [header('traceparent'), header('tracestate')];
  const { partition, offset, timestamp, key, value } = message;
  return {
    ...{ partition, offset, timestamp, origin: told('origin'), kind: told('kind'), stage: told('stage'), task: told('task') },
    ...{ code: told('code'), error: told('error'), stack: told('stack'), attempts: Number(told('attempts')) },
    ...(truncated !== undefined && { truncatedFrom: Number(truncated) }),
    ...(messageTime !== undefined && { messageTime: Number(messageTime) }),
    ...(refusedBy !== undefined && { refusedBy }),
    headers: headersBehind(message.headers),
    ...(leftOut !== undefined && { headersLeftOut: Number(leftOut) }),
    ...(traceparent !== undefined && { traceparent }),
    ...(tracestate !== undefined && { tracestate }),
    ...{ key, value },
  };
}

/**
 * The same for copies of one dead letter only: one record may fail in two stages, or where it is broadcast in several tasks. A letter without an
 * origin is its own.
 */
export function identityOf({ task, origin, partition, offset }: DeadLetterView): string {
  return origin === '' ? `${partition}-${offset}` : `${task} ${origin}`;
}

export function viewPayload(bytes: Uint8Array | null, kind: string): PayloadView {
  if (bytes === null) return { form: 'none' };
  const text = textOf(bytes);
  if (text === undefined) return viewBinary(bytes, kind);
  try {
    return { form: 'json', value: JSON.parse(text) as unknown };
  } catch {
    return { form: 'text', value: text };
  }
}

/** On one line without `indent`, else as people lay it out. */
export function payloadText(view: PayloadView, indent: number): string {
  if (view.form === 'none') return '(none)';
  return view.form === 'text' || view.form === 'hex' ? view.value : JSON.stringify(view.value, null, indent);
}

/** The text, unless it would not show what the bytes are. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return /[^\P{Cc}\n\r\t]/u.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

/** A record of a channel that JSON would change, or that was cut; or any bytes. */
function viewBinary(bytes: Uint8Array, kind: string): PayloadView {
  try {
    if (kind === 'record') return { form: 'millrace', value: toJsonView(decodeValue(bytes)) };
  } catch {
    // Cut off.
  }
  return { form: 'hex', value: Buffer.from(bytes).toString('hex') };
}
