/** Where the fields of a record batch (format 2) stand, in bytes from its beginning. */
export const BATCH = {
  firstOffset: 0,
  /** Of what is behind this field. */
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  /** Of what is behind this field. */
  checksum: 17,
  attributes: 21,
  /** Of the last record, from the first offset. */
  lastDelta: 23,
  firstTime: 27,
  maxTime: 35,
  producerId: 43,
  producerEpoch: 51,
  firstSequence: 53,
  count: 57,
  /** The only ones that are compressed. */
  records: 61,
} as const;

/** Number of the format. */
export const MAGIC = 2;

/** Bits of the attributes. */
export const ATTRIBUTE = { compression: 0x07, logAppendTime: 0x08, transactional: 0x10, control: 0x20 } as const;
