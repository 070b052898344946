/**
 * A frame, from front to back:
 *
 *     magic, version     a byte each
 *     header's length    four bytes
 *     header             `encodeValue` of an array: FrameHeader's fields, text kind, byte lengths of shapes, text, text lengths and structure,
 *                        then position and watermark of each step; in a frame that declares its upstream idle, `idleFrom` in their place
 *     shapes             JSON: an array of arrays of keys
 *     text               all strings of the records, in order
 *     text lengths       only if the text is UTF-8: the bytes of each record's part of the text, as varints
 *     structure          the records
 *     CRC-32             of all before, four bytes; in this place in every version
 *
 * A record in the structure: flags, length of the value's structure and number of UTF-16 units of the record's text (two bytes each, four
 * with WIDE), then what the flags announce of origin, timestamp, tag and key, then the value. Numbers are little-endian.
 */
export const FRAME_MAGIC = 0x4d;
export const FRAME_VERSION = 1;
/** Magic, version, the header's length. */
export const PREAMBLE_BYTES = 6;
export const CRC_BYTES = 4;

/** Flags, bits 0 and 1: the origin, from the origin before (0, 0, −1 at the beginning). */
export const OriginFlag = {
  MASK: 0x03,
  /** Next offset, ordinal 0, emission 0. */
  NEXT_OFFSET: 0,
  /** Same offset and ordinal, next emission. */
  NEXT_EMISSION: 1,
  /** Same offset; ordinal's increase, emission. */
  ORDINAL: 2,
  /** Offset's increase, ordinal, emission. */
  OFFSET: 3,
} as const;

/** Bits 2 and 3: the timestamp. */
export const TimeFlag = {
  MASK: 0x0c,
  NONE: 0x00,
  SAME: 0x04,
  /** Zigzag varint, added to the last timestamp. */
  DELTA: 0x08,
  FLOAT64: 0x0c,
} as const;

/** Bits 4 and 5: the key. */
export const KeyFlag = {
  MASK: 0x30,
  NONE: 0x00,
  /** That of the record before. */
  SAME: 0x10,
  /** A value. */
  VALUE: 0x20,
} as const;

/** Another tag than the record before (0 at the beginning) follows. */
export const TAG_FLAG = 0x40;
/** Lengths take four bytes. */
export const WIDE_FLAG = 0x80;
/** Bytes of flags and narrow lengths. */
export const RECORD_PREFIX = 5;

/** A watermark and the number of the frame's records that come before it. */
export interface WatermarkStep {
  readonly position: number;
  readonly watermark: number;
}

export interface FrameHeader {
  /** Task, with its generation, that sent the frame; the clock's id in a tick. */
  readonly upstream: string;
  /** Number of tasks of the upstream's stage; 0 in a tick. */
  readonly upstreamTasks: number;
  /** Log times of the input of the first and the last record, in ms. */
  readonly firstTime: number;
  readonly lastTime: number;
  /** Earliest and latest log time in a source topic behind the records, in ms; for the measurement of latency only. */
  readonly ingestFirst: number;
  readonly ingestLast: number;
  /** Number of records. */
  readonly count: number;
  /** Set where the frame declares its upstream idle: it has applied all input below this offset, and there was nothing at or above it. */
  readonly idleFrom?: number | undefined;
}
