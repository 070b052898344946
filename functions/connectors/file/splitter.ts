/**
 * Cuts a stream of bytes into records, without decoding them. Chunks may be cut anywhere. Records are views of the chunks where they lie
 * in one: a chunk must not be reused.
 */
export interface Splitter {
  /** The records that `chunk` completes. @throws MILLRACE_INPUT_UNREADABLE */
  push(chunk: Uint8Array): readonly Uint8Array[];
  /** The last record, if the end completes one. @throws MILLRACE_INPUT_UNREADABLE the input stops in the middle. */
  end(): readonly Uint8Array[];
}

/** A record that began in earlier chunks. */
export class PartialRecord {
  private parts: Uint8Array[] = [];

  add(part: Uint8Array): void {
    if (part.length > 0) this.parts.push(part);
  }

  /** The whole record, `last` being its end. */
  take(last: Uint8Array): Uint8Array {
    if (this.parts.length === 0) return last;
    const whole = Buffer.concat([...this.parts, last]);
    this.parts = [];
    return whole;
  }
}
