import { CRC_BYTES, type FrameHeader, PREAMBLE_BYTES, RECORD_PREFIX, type WatermarkStep } from './frame-format.ts';
import { TextKind } from './value-format.ts';
import { Malformed } from './value-reader.ts';
import { decodeValue } from './value.ts';

/** Where the parts of a frame are, as positions in its bytes. */
export interface FrameLayout {
  readonly header: FrameHeader;
  readonly steps: readonly WatermarkStep[];
  readonly textKind: number;
  readonly shapesStart: number;
  readonly textStart: number;
  readonly textEnd: number;
  readonly textLengthsStart: number;
  readonly structureStart: number;
  readonly structureEnd: number;
}

/** Items of the header before its steps. */
const FIXED_ITEMS = 12;
/** Place, behind the upstream, of the number of records; from there on all are counts. */
const COUNTS_FROM = 5;

/** @throws Malformed, RangeError or MILLRACE_DECODE_FAILED */
export function parseHeader(frame: Buffer): FrameLayout {
  const shapesStart = PREAMBLE_BYTES + frame.readUInt32LE(2);
  if (shapesStart > frame.length - CRC_BYTES) throw new Malformed('the header is longer than the frame');
  const [upstream, ...numbers] = decodeValue(frame.subarray(PREAMBLE_BYTES, shapesStart)) as [unknown, ...unknown[]];
  if (typeof upstream !== 'string' || !areNumbers(numbers)) throw new Malformed('the header has a field of another type');
  const [upstreamTasks = 0, firstTime = 0, lastTime = 0, ingestFirst = 0, ingestLast = 0, count = 0] = numbers;
  const [textKind = 0, shapes = 0, text = 0, textLengths = 0, structure = 0] = numbers.slice(6);
  const textStart = shapesStart + shapes;
  const structureStart = textStart + text + textLengths;
  const rest = numbers.slice(FIXED_ITEMS - 1);
  const [idleFrom] = rest.length === 1 ? rest : [];
  const layout: FrameLayout = {
    header: { upstream, upstreamTasks, firstTime, lastTime, ingestFirst, ingestLast, count, idleFrom },
    steps: stepsOf(rest, count),
    textKind,
    shapesStart,
    textStart,
    textEnd: textStart + text,
    textLengthsStart: textStart + text,
    structureStart,
    structureEnd: structureStart + structure,
  };
  if (layout.structureEnd !== frame.length - CRC_BYTES) throw new Malformed('the parts do not add up to the frame');
  const counts = [upstreamTasks, idleFrom ?? 0, ...numbers.slice(COUNTS_FROM, FIXED_ITEMS - 1)];
  if (!counts.every(isCount) || textKind > TextKind.UTF16 || count * RECORD_PREFIX > structure) throw new Malformed('a count is none');
  return layout;
}

function areNumbers(items: readonly unknown[]): items is number[] {
  return items.length >= FIXED_ITEMS - 1 && items.every((item) => typeof item === 'number' && !Number.isNaN(item));
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function stepsOf(items: readonly number[], count: number): WatermarkStep[] {
  const steps: WatermarkStep[] = [];
  let last = 0;
  for (let i = 0; i + 1 < items.length; i += 2) {
    const [position = 0, watermark = 0] = [items[i], items[i + 1]];
    if (!Number.isInteger(position) || position < last || position > count) throw new Malformed('a step stands at no place of the frame');
    last = position;
    steps.push({ position, watermark });
  }
  return steps;
}
