import { isDeepStrictEqual } from 'node:util';
import type { OutgoingMessage } from '../channels/channel-writer.ts';
import { encodeValue } from '../codec/value.ts';
import { isMillraceError, MillraceError } from '../shared/errors.ts';
import { describeOrigin, ORIGIN_HEADER } from '../shared/origin.ts';
import type { Failure } from '../state/fence.ts';
import type { RefusedOutput } from '../connectors/sink.ts';

/** Longest stack kept, in characters: it travels in the fence and in a header. */
const MAX_STACK = 4000;

/** What user code threw, as data. Errors that are not Millrace's own get the code MILLRACE_USER_FUNCTION. */
export function describeFailure(error: unknown, attempts: number): Failure {
  const code = isMillraceError(error) ? error.code : 'MILLRACE_USER_FUNCTION';
  const message = isErrorLike(error) ? error.message : `thrown: ${String(error)}`;
  const stack = isErrorLike(error) ? (error.stack ?? '') : '';
  return { code, message: message.slice(0, MAX_STACK), stack: stack.slice(0, MAX_STACK), attempts };
}

/** Errors of another realm are no instances of this one's `Error`. */
function isErrorLike(error: unknown): error is Error {
  return typeof error === 'object' && error !== null && typeof (error as Partial<Error>).message === 'string';
}

export interface DeadLetter {
  /** Where the record came from; equal origins of one task are copies of one dead letter. */
  readonly origin: string;
  readonly stage: string;
  readonly task: string;
  readonly failure: Failure;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** `message`: key and value as they stood in the source; `record`: a record of a channel as { key, value, timestamp, tag }; `timer`: a timer's operator, key and time; `output`: what a sink would have written, whose record is applied. */
  readonly kind: 'message' | 'record' | 'timer' | 'output';
  /** In ms, of a source's message or a sink's; that of a channel's record stands in its value. */
  readonly timestamp?: number | undefined;
  /** That refuses an output. */
  readonly topic?: string;
  /** Of the source's message, or of the sink's; records of channels have none. */
  readonly headers?: Headers;
}

type Headers = readonly (readonly [name: string, value: Uint8Array])[];

/** Largest dead letter, in bytes: one that its topic does not take would block its partition for ever. */
const MAX_DEAD_LETTER_BYTES = 1_000_000;
/** Of them, what the headers of the message may take. */
const MAX_HEADER_BYTES = 16_384;
/** Headers of a letter that are Millrace's begin so. One of the message that does, too, has it twice. */
const OWN_PREFIX = 'millrace-';
const FOREIGN_PREFIX = 'millrace-header-';

/** The dead letter as a message: the payload as it was (cut if it is too large), all that is known about it in headers, and those of the message. */
export function deadLetterMessage(letter: DeadLetter): OutgoingMessage {
  const { origin, stage, task, failure, key, value, kind, timestamp, topic } = letter;
  const given = letter.headers ?? [];
  const kept = fitting(given);
  const headers: Record<string, string> = {
    [ORIGIN_HEADER]: origin,
    'millrace-kind': kind,
    'millrace-stage': stage,
    'millrace-task': task,
    'millrace-code': failure.code,
    'millrace-error': failure.message,
    'millrace-stack': failure.stack,
    'millrace-attempts': String(failure.attempts),
    ...(topic !== undefined && { 'millrace-topic': topic }),
    ...(timestamp !== undefined && { 'millrace-timestamp': String(timestamp) }),
    ...(kept.length < given.length && { 'millrace-headers-left-out': String(given.length - kept.length) }),
  };
  const headerBytes =
    Object.entries(headers).reduce((sum, entry) => sum + Buffer.byteLength(entry.join()), 0) +
    kept.reduce((sum, [name, bytes]) => sum + sizeOf(name, bytes), 0);
  const room = Math.max(0, MAX_DEAD_LETTER_BYTES - (key?.length ?? 0) - headerBytes);
  if (value !== null && value.length > room) headers['millrace-truncated'] = String(value.length);
  const encoded = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)] as const);
  return { key, value: value && value.subarray(0, room), headers: [...encoded, ...kept] };
}

/** Those that fit, in order: a large one does not push out the small ones behind it. */
function fitting(headers: Headers): Headers {
  let room = MAX_HEADER_BYTES;
  return headers
    .map(([name, value]) => [name.startsWith(OWN_PREFIX) ? FOREIGN_PREFIX + name : name, value] as const)
    .filter(([name, value]) => {
      const fits = sizeOf(name, value) <= room;
      if (fits) room -= sizeOf(name, value);
      return fits;
    });
}

function sizeOf(name: string, value: Uint8Array): number {
  return Buffer.byteLength(name) + value.length;
}

/** Headers that the message behind a dead letter had, as far as they were kept. */
export function headersBehind(letter: Headers): Headers {
  return letter
    .filter(([name]) => !name.startsWith(OWN_PREFIX) || name.startsWith(FOREIGN_PREFIX))
    .map(([name, value]) => [name.startsWith(FOREIGN_PREFIX) ? name.slice(FOREIGN_PREFIX.length) : name, value] as const);
}

/** What becomes of a message that the topic of a sink refuses. */
export function refusedLetter(stage: string, task: string, { topic, message, error, origin }: RefusedOutput): OutgoingMessage {
  const { key, value, timestamp, headers = [] } = message;
  const failure = { code: error.code, message: error.message, stack: '', attempts: 1 };
  return deadLetterMessage({
    origin: describeOrigin(task, origin),
    stage,
    task,
    failure,
    kind: 'output',
    key,
    value,
    timestamp,
    topic,
    headers,
  });
}

/** JSON where it says all that there is to say, so that people can read it; else the encoding of frames. */
export function readableBytes(value: object): Uint8Array {
  try {
    const text = JSON.stringify(value);
    if (isDeepStrictEqual(JSON.parse(text), withoutUndefined(value))) return Buffer.from(text);
  } catch {
    // Not JSON: a bigint, for example.
  }
  return encodeValue(value);
}

/** The record's own fields may be undefined; what is inside of its value may not, or JSON would change it. */
function withoutUndefined(value: object): unknown {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined));
}

/** With `onError: 'fail'` a record that keeps failing blocks its partition. */
export function recordFailed(task: string, origin: string, failure: Failure): MillraceError {
  return new MillraceError(
    'MILLRACE_RECORD_FAILED',
    `task ${task}: record ${origin} failed ${failure.attempts} times (${failure.code}: ${failure.message}); onError is 'fail', so its partition waits. ` +
      "Mend the function, or set onError: 'dead-letter'",
  );
}
