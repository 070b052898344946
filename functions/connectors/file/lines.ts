import { PartialRecord, type Splitter } from './splitter.ts';

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Splits text into lines, without their line ends; empty lines are no records. */
export class LineSplitter implements Splitter {
  private readonly partial = new PartialRecord();

  push(chunk: Uint8Array): readonly Uint8Array[] {
    const records: Uint8Array[] = [];
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      addLine(records, this.partial.take(chunk.subarray(from, at)));
      from = at + 1;
    }
    this.partial.add(chunk.subarray(from));
    return records;
  }

  end(): readonly Uint8Array[] {
    const records: Uint8Array[] = [];
    addLine(records, this.partial.take(new Uint8Array(0)));
    return records;
  }
}

function addLine(records: Uint8Array[], line: Uint8Array): void {
  const text = line[line.length - 1] === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
  if (text.length > 0) records.push(text);
}
