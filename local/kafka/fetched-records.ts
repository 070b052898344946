import type { KafkaMessage } from 'kafkajs';
import { type EventMessage, type EventRecords, MessageRecords } from '../emulator/event-records.ts';
import type { RawBatch } from './raw-fetch.ts';

/** Kafka's number for times that the broker sets. */
const LOG_APPEND_TIME = 1;

/** Records behind what a client that reads `withRawFetch` takes for one message. */
export function recordsOf(message: KafkaMessage | RawBatch): EventRecords {
  return 'records' in message ? message.records : new MessageRecords([toEventMessage(message)]);
}

export function toEventMessage(message: KafkaMessage): EventMessage {
  const { key, value, headers = {}, offset, timestamp } = message;
  const list = Object.entries(headers).flatMap(([name, values]) =>
    (Array.isArray(values) ? values : [values]).map((one) => [name, typeof one === 'string' ? Buffer.from(one) : (one ?? EMPTY)] as const),
  );
  // The client's types leave it out.
  const type = (message as { readonly batchContext?: { readonly timestampType?: number } }).batchContext?.timestampType;
  let bytes = (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, header] of list) bytes += name.length + header.length;
  const timestampType = type === LOG_APPEND_TIME ? 'LOG_APPEND_TIME' : 'CREATE_TIME';
  return { key, value, headers: list, offset: Number(offset), timestamp: Number(timestamp), timestampType, bytes };
}

const EMPTY = Buffer.alloc(0);
