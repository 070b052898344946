import { FrameListWriter } from '../../functions/codec/frame-writer.ts';
import { decodeValue } from '../../functions/codec/value.ts';
import { REPLAY_UPSTREAM, type ReplayedValue } from '../../functions/runtime/replayed-record.ts';
import { MillraceError } from '../../functions/shared/errors.ts';
import type { Key } from '../../functions/shared/key.ts';

/** A record of a channel that has become a dead letter. */
export interface BuriedRecord {
  /** In the dead-letter topic. */
  readonly offset: number;
  readonly origin: string;
  readonly value: Uint8Array;
}

interface RecordFields {
  readonly key?: Key;
  readonly value: unknown;
  readonly timestamp?: number;
  readonly tag: number;
}

/**
 * Frames that bring records back to the task that buried them: to be appended to its channel, in this order.
 *
 * @param records - Of one task, by ascending offset. @param time - Wall clock in ms, for the measurement of latency.
 * @throws MILLRACE_DECODE_FAILED, MILLRACE_VALUE_TOO_LARGE
 */
export function replayFrames(records: readonly BuriedRecord[], frameBytes: number, time: number): Uint8Array[] {
  const writer = new FrameListWriter({ upstream: REPLAY_UPSTREAM, upstreamTasks: 0, maxBytes: frameBytes });
  writer.time(time, time, time);
  for (const { offset, origin, value } of records) {
    const { key, value: payload, timestamp, tag } = parseRecord(value);
    const replayed: ReplayedValue = ['dead', origin, payload];
    writer.add(offset, 0, 0, timestamp, tag, key, replayed);
  }
  return writer.finish(undefined);
}

/** Inverse of `readableBytes`: JSON begins with a brace, which begins no encoded value. @throws MILLRACE_DECODE_FAILED */
function parseRecord(bytes: Uint8Array): RecordFields {
  const isText = bytes[0] === '{'.charCodeAt(0);
  const fields = (isText ? parseJson(bytes) : decodeValue(bytes)) as Partial<RecordFields> | null;
  if (typeof fields === 'object' && fields !== null && typeof fields.tag === 'number')
    return { value: undefined, ...fields, tag: fields.tag };
  throw new MillraceError(
    'MILLRACE_DECODE_FAILED',
    `${bytes.length} bytes of a dead letter are no record of a channel; only Millrace may write to its topic`,
  );
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch (cause) {
    throw new MillraceError(
      'MILLRACE_DECODE_FAILED',
      `${bytes.length} bytes of a dead letter are no JSON; only Millrace may write to its topic`,
      { cause },
    );
  }
}
