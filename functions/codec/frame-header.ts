import { CRC_BYTES, type FrameHeader, PREAMBLE_BYTES, type WatermarkStep } from './frame-format.ts';
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
  const layout: FrameLayout = {
    header: { upstream, upstreamTasks, firstTime, lastTime, ingestFirst, ingestLast, count },
    steps: stepsOf(numbers.slice(FIXED_ITEMS - 1)),
    textKind,
    shapesStart,
    textStart,
    textEnd: textStart + text,
    textLengthsStart: textStart + text,
    structureStart,
    structureEnd: structureStart + structure,
  };
  if (layout.structureEnd !== frame.length - CRC_BYTES) throw new Malformed('the parts do not add up to the frame');
  return layout;
}

function areNumbers(items: readonly unknown[]): items is number[] {
  return items.length >= FIXED_ITEMS - 1 && items.every((item) => typeof item === 'number');
}

function stepsOf(items: readonly number[]): WatermarkStep[] {
  const steps: WatermarkStep[] = [];
  for (let i = 0; i + 1 < items.length; i += 2) steps.push({ position: items[i] ?? 0, watermark: items[i + 1] ?? 0 });
  return steps;
}
