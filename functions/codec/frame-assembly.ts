import { crc32 } from 'node:zlib';
import { CRC_BYTES, FRAME_MAGIC, FRAME_VERSION, type FrameHeader, PREAMBLE_BYTES, type WatermarkStep } from './frame-format.ts';
import type { FrameSegment } from './frame-segment.ts';
import { isWellFormed, planText, type TextPlan, writeText } from './text.ts';
import { TextKind } from './value-format.ts';
import { encodeValue } from './value.ts';
import { ValueWriter } from './value-writer.ts';

/** The parts of a frame behind its header. */
interface Parts {
  readonly shapes: Buffer;
  readonly text: string;
  readonly plan: TextPlan;
  readonly textLengths: Buffer;
  readonly structure: Buffer;
}

const EMPTY = Buffer.alloc(0);
const NO_RECORDS: Parts = { shapes: EMPTY, text: '', plan: { kind: TextKind.NONE, bytes: 0 }, textLengths: EMPTY, structure: EMPTY };

/**
 * A frame's bytes. Its CRC is zlib's CRC-32, not the CRC-32C of the distribution formulas: both find what happens to a frame, and
 * zlib's native code costs a third of ours.
 */
export function assembleFrame(header: FrameHeader, steps: readonly WatermarkStep[], segment: FrameSegment | undefined): Uint8Array {
  const parts = segment ? partsOf(segment) : NO_RECORDS;
  const { shapes, text, plan, textLengths, structure } = parts;
  const head = encodeValue(headerItems(header, steps, parts));
  const frame = Buffer.allocUnsafeSlow(
    PREAMBLE_BYTES + head.length + shapes.length + plan.bytes + textLengths.length + structure.length + CRC_BYTES,
  );
  frame[0] = FRAME_MAGIC;
  frame[1] = FRAME_VERSION;
  frame.writeUInt32LE(head.length, 2);
  frame.set(head, PREAMBLE_BYTES);
  let position = PREAMBLE_BYTES + head.length;
  position += shapes.copy(frame, position);
  position = writeText(frame, position, text, plan);
  position += textLengths.copy(frame, position);
  position += structure.copy(frame, position);
  frame.writeUInt32LE(crc32(frame.subarray(0, position)), position);
  return frame;
}

function headerItems(header: FrameHeader, steps: readonly WatermarkStep[], parts: Parts): unknown[] {
  const { upstream, upstreamTasks, firstTime, lastTime, ingestFirst, ingestLast, count, idleFrom } = header;
  const items: unknown[] = [upstream, upstreamTasks, firstTime, lastTime, ingestFirst, ingestLast, count];
  items.push(parts.plan.kind, parts.shapes.length, parts.plan.bytes, parts.textLengths.length, parts.structure.length);
  for (const { position, watermark } of steps) items.push(position, watermark);
  if (idleFrom !== undefined) items.push(idleFrom);
  return items;
}

function partsOf({ values, textEnds }: FrameSegment): Parts {
  const { text } = values;
  const shapes = values.shapes.shapes.length > 0 ? values.shapes.encode() : EMPTY;
  const structure = values.bytes.subarray(0, values.position);
  const plan = planText(text);
  if (plan.kind === TextKind.NONE || plan.kind === TextKind.ASCII) return { shapes, text, plan, textLengths: EMPTY, structure };
  return { shapes, text, structure, ...planRecordTexts(text, textEnds) };
}

/** In UTF-8 a record's bytes don't follow from its characters, so they are noted. All records share one kind. */
function planRecordTexts(text: string, ends: readonly number[]): Pick<Parts, 'plan' | 'textLengths'> {
  const records = ends.map((end, i) => text.slice(i === 0 ? 0 : ends[i - 1], end));
  if (!records.every(isWellFormed)) return { plan: { kind: TextKind.UTF16, bytes: 2 * text.length }, textLengths: EMPTY };
  const lengths = new ValueWriter(2 * ends.length);
  for (const record of records) lengths.writeVarint(Buffer.byteLength(record));
  return { plan: { kind: TextKind.UTF8, bytes: Buffer.byteLength(text) }, textLengths: lengths.bytes.subarray(0, lengths.position) };
}
