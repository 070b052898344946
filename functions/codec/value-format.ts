/**
 * The binary form of a value: a *structure* of tagged bytes, a *text* with all of its strings one after another, and a table of *shapes*
 * (key lists of its objects). In the structure a string is only its length, an object only its shape's number and its values, so
 * that strings are written and read in few native calls, and keys once a frame.
 *
 * First byte of an item: 0x00–0x7f the integer itself, then as below. Numbers are little-endian, lengths and counts are varints (7 bits
 * a byte, low ones first).
 */
export const Tag = {
  /** + length below 64: a string. */
  SHORT_STRING: 0x80,
  /** + number below 32: an object of that shape; its values follow. */
  SHORT_SHAPE: 0xc0,
  NULL: 0xe0,
  UNDEFINED: 0xe1,
  FALSE: 0xe2,
  TRUE: 0xe3,
  /** 128 to 255, one byte. */
  UINT8: 0xe4,
  /** Two bytes. */
  UINT16: 0xe5,
  /** Four bytes, signed. */
  INT32: 0xe6,
  /** Eight bytes IEEE 754; NaN in one form only. */
  FLOAT64: 0xe7,
  /** Length in UTF-16 units. */
  STRING: 0xe8,
  /** Number of the shape, then its values. */
  SHAPE: 0xe9,
  /** Count, then a string and a value for each entry: an object whose keys are not worth a shape. */
  OBJECT: 0xea,
  /** Count, then the items. */
  ARRAY: 0xeb,
  /** Count, then a key and a value for each entry. */
  MAP: 0xec,
  /** Count, then the items. */
  SET: 0xed,
  /** Time in ms as eight bytes IEEE 754. */
  DATE: 0xee,
  /** Length, then the bytes. */
  BYTES: 0xef,
  /** Eight bytes, signed. */
  BIGINT64: 0xf0,
  /** Sign (1 = negative), length, then the magnitude, high byte first. */
  BIGINT: 0xf1,
  /** + count below 8: an array. */
  SHORT_ARRAY: 0xf8,
} as const;

/** How a text is written. */
export const TextKind = {
  NONE: 0,
  /** One byte a UTF-16 unit. */
  ASCII: 1,
  UTF8: 2,
  /** Two bytes a unit, for texts with half of a surrogate pair, which UTF-8 can't hold. */
  UTF16: 3,
} as const;

/** Deepest nesting of containers that is encoded or decoded. */
export const MAX_DEPTH = 200;

/** Objects with more keys, or of shapes beyond this count, are written with their keys. */
export const MAX_SHAPE_KEYS = 64;
export const MAX_SHAPES = 256;

/** Largest structure or text of one writer: beyond, a value is refused rather than the process run out of memory. */
export const MAX_BLOCK_BYTES = 0x10000000;
