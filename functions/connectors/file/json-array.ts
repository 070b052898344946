import { MillraceError } from '../../shared/errors.ts';
import { PartialRecord, type Splitter } from './splitter.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const BYTE_ORDER_MARK: readonly number[] = [0xef, 0xbb, 0xbf];

/** What may come next. */
type Place = 'array' | 'first element or end' | 'element' | 'inside an element' | 'comma or end' | 'nothing';

/**
 * Splits a JSON array into its elements by their brackets and quotes alone; what is inside an element is the codec's business, so a bad
 * one fails as one record.
 */
export class JsonArraySplitter implements Splitter {
  private readonly name: string;
  private readonly partial = new PartialRecord();
  private place: Place = 'array';
  /** Bytes before the current chunk. */
  private before = 0;
  private depth = 0;
  private inString = false;
  private escaped = false;
  private isScalar = false;

  /** @param name - Of the input, for messages. */
  constructor(name: string) {
    this.name = name;
  }

  push(chunk: Uint8Array): readonly Uint8Array[] {
    const records: Uint8Array[] = [];
    let at = 0;
    while (at < chunk.length) at = this.place === 'inside an element' ? this.element(chunk, at, records) : this.between(chunk, at);
    this.before += chunk.length;
    return records;
  }

  end(): readonly Uint8Array[] {
    if (this.place === 'nothing') return [];
    const expected = this.place === 'inside an element' ? 'the rest of an element' : this.place;
    throw new MillraceError(
      'MILLRACE_INPUT_UNREADABLE',
      `${this.name} ends at byte ${this.before}, where ${expected} should follow: is it complete?`,
    );
  }

  /** Handles one byte between elements; returns where to go on. */
  private between(chunk: Uint8Array, at: number): number {
    const byte = chunk[at] ?? 0;
    if (isSpace(byte) || this.isByteOrderMark(byte, at)) return at + 1;
    if (this.place === 'array' && byte === OPEN_BRACKET) this.place = 'first element or end';
    else if (this.place === 'comma or end' && byte === COMMA) this.place = 'element';
    else if ((this.place === 'comma or end' || this.place === 'first element or end') && byte === CLOSE_BRACKET) this.place = 'nothing';
    else if ((this.place === 'first element or end' || this.place === 'element') && startsValue(byte)) return this.begin(byte, at);
    else throw this.unexpected(byte, at);
    return at + 1;
  }

  private begin(byte: number, at: number): number {
    this.place = 'inside an element';
    this.isScalar = byte !== QUOTE && byte !== OPEN_BRACE && byte !== OPEN_BRACKET;
    return at;
  }

  private element(chunk: Uint8Array, from: number, records: Uint8Array[]): number {
    const to = this.isScalar ? endOfScalar(chunk, from) : this.endOfNested(chunk, from);
    if (to === -1) {
      this.partial.add(chunk.subarray(from));
      return chunk.length;
    }
    records.push(this.partial.take(chunk.subarray(from, to)));
    this.place = 'comma or end';
    return to;
  }

  /** Index behind the string, object or array that is open, or -1. The hot loop: every byte of the input once. */
  private endOfNested(chunk: Uint8Array, from: number): number {
    let { depth, inString, escaped } = this;
    let end = -1;
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at];
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) {
          inString = false;
          if (depth === 0) {
            end = at + 1;
            break;
          }
        }
      } else if (byte === QUOTE) inString = true;
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
      else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && --depth === 0) {
        end = at + 1;
        break;
      }
    }
    this.depth = depth;
    this.inString = inString;
    this.escaped = escaped;
    return end;
  }

  private isByteOrderMark(byte: number, at: number): boolean {
    return this.place === 'array' && BYTE_ORDER_MARK[this.before + at] === byte;
  }

  private unexpected(byte: number, at: number): MillraceError {
    const found = byte > 0x20 && byte < 0x7f ? `'${String.fromCharCode(byte)}'` : `byte 0x${byte.toString(16)}`;
    return new MillraceError(
      'MILLRACE_INPUT_UNREADABLE',
      `${this.name} is no JSON array: at byte ${this.before + at} stands ${found}, where ${this.place} should be; for a record a line give format: 'json-lines'`,
    );
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function startsValue(byte: number): boolean {
  return byte !== COMMA && byte !== CLOSE_BRACKET && byte !== CLOSE_BRACE;
}

/** Index behind a number or word, or -1: it ends where anything else begins. */
function endOfScalar(chunk: Uint8Array, from: number): number {
  for (let at = from; at < chunk.length; at++) {
    const byte = chunk[at] ?? 0;
    if (isSpace(byte) || !startsValue(byte)) return at;
  }
  return -1;
}
