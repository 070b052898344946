import { openFrame } from '../../functions/codec/frame-reader.ts';
import type { Key } from '../../functions/shared/key.ts';
import type { KafkaBatchResponse } from '../../functions/runtime/lambda.ts';
import type { LoggedMessage } from './memory-log.ts';

/** A record as a stage sent it to the next one. */
export interface ChannelRecord {
  readonly key: Key | undefined;
  readonly value: unknown;
  /** Event time in ms, if it has one. */
  readonly timestamp: number | undefined;
}

/** A message of a user's topic; `value` is parsed JSON where it is JSON, else text. */
export interface SinkRecord {
  readonly key: string | null;
  readonly value: unknown;
  readonly partition: number;
}

export interface DeadLetterRecord {
  readonly code: string;
  readonly error: string;
  readonly origin: string;
  readonly stage: string;
  /** The payload as it was: JSON if it is, else text. */
  readonly value: unknown;
}

/** What a run put out. Collected over all batches, without the copies that a repeated batch publishes again. */
export interface StageOutputs {
  /** Records by the stage that they were sent to. */
  readonly emitted: Readonly<Record<string, readonly ChannelRecord[]>>;
  /** Messages by topic. */
  readonly sinks: Readonly<Record<string, readonly SinkRecord[]>>;
  /** What `collect(name)` has collected, by name. */
  readonly collected: Readonly<Record<string, readonly unknown[]>>;
  readonly printed: readonly string[];
  readonly deadLetters: readonly DeadLetterRecord[];
}

export interface StageRun extends StageOutputs {
  /** The handler's answer. */
  readonly response: KafkaBatchResponse;
}

/** The records of a channel's partitions, partition by partition; a copy has the origin of its original. */
export function readChannel(partitions: readonly (readonly LoggedMessage[])[]): ChannelRecord[] {
  const records: ChannelRecord[] = [];
  for (const messages of partitions) {
    const seen = new Set<string>();
    for (const { value } of messages) if (value) readFrame(value, seen, records);
  }
  return records;
}

function readFrame(bytes: Uint8Array, seen: Set<string>, records: ChannelRecord[]): void {
  const reader = openFrame(bytes);
  while (reader.next()) {
    const origin = `${reader.upstream}:${reader.offset}.${reader.ordinal}.${reader.emission}`;
    if (seen.has(origin)) continue;
    seen.add(origin);
    records.push({ key: reader.key, value: reader.value(), timestamp: reader.timestamp });
  }
}

export function readSink(partitions: readonly (readonly LoggedMessage[])[]): SinkRecord[] {
  return partitions.flatMap((messages, partition) =>
    messages.map(({ key, value }) => ({ key: key && Buffer.from(key).toString(), value: readPayload(value), partition })),
  );
}

/** Readers of the dead-letter topic drop equal origins of a task: a source stage sends them at least once. */
export function readDeadLetters(partitions: readonly (readonly LoggedMessage[])[]): DeadLetterRecord[] {
  const letters = new Map<string, DeadLetterRecord>();
  for (const { headers = [], value } of partitions.flat()) {
    const header = (name: string): string => Buffer.from(headers.find(([one]) => one === name)?.[1] ?? []).toString();
    const origin = header('millrace-origin');
    const letter = {
      origin,
      code: header('millrace-code'),
      error: header('millrace-error'),
      stage: header('millrace-stage'),
      value: readPayload(value),
    };
    const identity = `${header('millrace-task')} ${origin}`;
    if (!letters.has(identity)) letters.set(identity, letter);
  }
  return [...letters.values()];
}

function readPayload(bytes: Uint8Array | null): unknown {
  if (bytes === null) return null;
  const text = Buffer.from(bytes).toString();
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
