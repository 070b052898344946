import type { OutgoingMessage } from '../channel-writer.ts';

/** A message as kafkajs encodes it. */
export interface OutgoingRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, readonly Buffer[]>>;
  /** kafkajs sorts them as text: all have as many digits, or the broker finds the latest by itself. */
  readonly timestamp?: string;
}

export function toRecord({ key, value, headers, timestamp }: OutgoingMessage): OutgoingRecord {
  return {
    key: toBuffer(key),
    value: toBuffer(value),
    ...(headers && headers.length > 0 && { headers: toHeaders(headers) }),
    ...(timestamp !== undefined && { timestamp: String(timestamp) }),
  };
}

/** kafkajs takes any other view for text. */
function toBuffer(bytes: Uint8Array): Buffer;
function toBuffer(bytes: Uint8Array | null): Buffer | null;
function toBuffer(bytes: Uint8Array | null): Buffer | null {
  return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** kafkajs keeps headers by name: those of one name stay in order, side by side. */
function toHeaders(headers: NonNullable<OutgoingMessage['headers']>): Record<string, Buffer[]> {
  const byName = Object.create(null) as Record<string, Buffer[]>;
  for (const [name, value] of headers) (byName[name] ??= []).push(toBuffer(value));
  return byName;
}
