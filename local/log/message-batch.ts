import { MillraceError } from '../../functions/shared/errors.ts';
import { messageBytes, messageEnd, SMALLEST_MESSAGE, writeMessage } from '../../functions/channels/embedded/message-layout.ts';
import type { OutgoingMessage } from '../../functions/channels/channel-writer.ts';

/** Messages on their way into a partition, whatever form they came in: appended whole or not at all. */
export interface MessageBatch {
  readonly count: number;
  /** Bytes they take in the log. */
  readonly bytes: number;
  /** Bytes of the largest of them. */
  readonly largest: number;
  /** Writes them at `at`, one after another, and notes where each begins. */
  write(target: Buffer, at: number, positions: Uint32Array, first: number): void;
}

/** A batch of message objects. */
export function toBatch(messages: readonly OutgoingMessage[]): MessageBatch {
  const sizes = messages.map(messageBytes);
  return {
    count: messages.length,
    ...measure(sizes),
    write(target, at, positions, first) {
      for (const message of messages) {
        positions[first++] = at;
        at = writeMessage(target, at, message);
      }
    },
  };
}

/** A batch of values without keys and headers: a feeder's hot path. */
export function toValueBatch(values: readonly Uint8Array[]): MessageBatch {
  let bytes = 0;
  let largest = 0;
  for (const value of values) {
    bytes += SMALLEST_MESSAGE + value.length;
    if (value.length > largest) largest = value.length;
  }
  return {
    count: values.length,
    bytes,
    largest: largest + SMALLEST_MESSAGE,
    write(target, at, positions, first) {
      for (const value of values) {
        positions[first++] = at;
        target.writeInt32LE(-1, at);
        target.writeInt32LE(value.length, at + 4);
        target.set(value, at + 8);
        at += 8 + value.length;
        target.writeUInt16LE(0, at);
        at += 2;
      }
    },
  };
}

/**
 * A batch that a client has encoded in the log's own layout (`writeMessage`), copied as it is.
 *
 * @throws MILLRACE_PRODUCE_FAILED if `body` is not exactly `count` messages.
 */
export function toEncodedBatch(count: number, body: Buffer): MessageBatch {
  if (count * SMALLEST_MESSAGE > body.length)
    throw new MillraceError('MILLRACE_PRODUCE_FAILED', `${body.length} bytes cannot be ${count} messages`);
  const starts = new Uint32Array(count);
  let at = 0;
  let largest = 0;
  try {
    for (let i = 0; i < count; i++) {
      starts[i] = at;
      const end = messageEnd(body, at);
      if (end - at > largest) largest = end - at;
      at = end;
    }
  } catch (cause) {
    throw new MillraceError('MILLRACE_PRODUCE_FAILED', `the request is cut short within ${count} messages`, { cause });
  }
  if (at !== body.length) throw new MillraceError('MILLRACE_PRODUCE_FAILED', `${body.length - at} bytes behind ${count} messages`);
  return {
    count,
    bytes: body.length,
    largest,
    write(target, start, positions, first) {
      target.set(body, start);
      for (let i = 0; i < count; i++) positions[first + i] = start + (starts[i] ?? 0);
    },
  };
}

function measure(sizes: readonly number[]): { bytes: number; largest: number } {
  let bytes = 0;
  let largest = 0;
  for (const size of sizes) {
    bytes += size;
    if (size > largest) largest = size;
  }
  return { bytes, largest };
}
