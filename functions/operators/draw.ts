import { murmur3_32 } from '../shared/hash.ts';
import type { RecordContext } from './record-context.ts';

/**
 * Randomness from the origin: the same record draws the same values in every attempt, because a replay must put out what the first
 * attempt put out.
 */
export function drawUint32(context: RecordContext): number {
  const text = `${context.task}:${context.offset}.${context.ordinal}#${context.draws++}`;
  return murmur3_32(Buffer.from(text));
}

/** A number in [0, 1) with 53 bits. */
export function drawNumber(context: RecordContext): number {
  return ((drawUint32(context) >>> 5) * 0x4000000 + (drawUint32(context) >>> 6)) / 2 ** 53;
}

/** A version 4 UUID. */
export function drawUuid(context: RecordContext): string {
  const bytes = Buffer.alloc(16);
  for (let i = 0; i < 16; i += 4) bytes.writeUInt32BE(drawUint32(context), i);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
