import { PartialRecord, type Splitter } from './splitter.ts';

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Makes a record of a line; lines count from 1. */
type ToRecord = (line: Uint8Array, number: number) => Uint8Array;

/** Splits text into lines, without their line ends; empty lines are no records, but they count. */
export class LineSplitter implements Splitter {
  private readonly partial = new PartialRecord();
  private readonly toRecord: ToRecord;
  private line = 0;

  constructor(toRecord: ToRecord = (line) => line) {
    this.toRecord = toRecord;
  }

  push(chunk: Uint8Array): readonly Uint8Array[] {
    const records: Uint8Array[] = [];
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      this.addLine(records, this.partial.take(chunk.subarray(from, at)));
      from = at + 1;
    }
    this.partial.add(chunk.subarray(from));
    return records;
  }

  end(): readonly Uint8Array[] {
    const records: Uint8Array[] = [];
    this.addLine(records, this.partial.take(new Uint8Array(0)));
    return records;
  }

  private addLine(records: Uint8Array[], line: Uint8Array): void {
    this.line++;
    const text = line[line.length - 1] === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
    if (text.length > 0) records.push(this.toRecord(text, this.line));
  }
}
