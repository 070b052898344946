/** Kafka's encoding of requests and answers, as versions have it that know no tagged fields: fixed lengths, big endian. */
export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export function text(value: string): Buffer {
  return Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)]);
}

/** Reads what the above write. It only goes forward, whatever the bytes say; what goes beyond their end throws a RangeError. */
export class WireReader {
  protected readonly bytes: Buffer;
  private at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  int16(): number {
    return this.bytes.readInt16BE(this.take(2));
  }

  int32(): number {
    return this.bytes.readInt32BE(this.take(4));
  }

  /** Decimal. */
  int64(): string {
    return this.bytes.readBigInt64BE(this.take(8)).toString();
  }

  /** A negative length stands for none. */
  text(): string {
    const length = Math.max(0, this.int16());
    return this.bytes.toString('utf8', this.take(length), this.at);
  }

  /** Bytes behind their length, which may end before that: the limit of an answer cuts records off. */
  block(): Buffer {
    const length = Math.max(0, this.int32());
    return this.bytes.subarray(this.take(length), this.at);
  }

  list<T>(item: () => T): T[] {
    const items: T[] = [];
    for (let left = this.int32(); left > 0; left--) items.push(item());
    return items;
  }

  skip(length: number): void {
    this.take(length);
  }

  /** Passes over `length` bytes; where they begin. */
  private take(length: number): number {
    this.at += length;
    return this.at - length;
  }
}
