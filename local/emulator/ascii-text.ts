/** Room that a text begins with, where none is left of an earlier one. */
const FIRST_BYTES = 1 << 16;

/** Room of texts that have been taken: new memory would be cleared, page by page, for every event. */
const spare: Buffer[] = [];
const MAX_SPARE = 4;

/**
 * A long text that grows by pieces, all of them ASCII. Pieces that are added to a string stay alive, each with an object of its own, until
 * the string is read; in an event of 10,000 records that is most of the time that it takes.
 */
export class AsciiText {
  length = 0;
  private bytes = spare.pop() ?? Buffer.allocUnsafeSlow(FIRST_BYTES);

  add(piece: string): void {
    const length = this.length + piece.length;
    if (length > this.bytes.length) this.grow(length);
    this.bytes.write(piece, this.length, 'latin1');
    this.length = length;
  }

  /** The whole text; its room goes to the next one. */
  take(): string {
    const text = this.bytes.toString('latin1', 0, this.length);
    if (spare.length < MAX_SPARE) spare.push(this.bytes);
    this.bytes = NO_BYTES;
    this.length = 0;
    return text;
  }

  private grow(atLeast: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(atLeast, 2 * this.bytes.length));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }
}

const NO_BYTES = Buffer.alloc(0);
