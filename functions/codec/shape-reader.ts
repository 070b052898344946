import type { ValueReader } from './value-reader.ts';

/** Reads the fields of one object from the reader, in order, and makes the object. */
type Build = (reader: ValueReader) => object;

/** After so many objects of a shape a constructor is generated for it: 60 to 80 ns less for an object of seven fields. */
const GENERATE_AFTER = 64;

/** Caches stop growing here, and take no long texts: shapes are as few as record types, unless data is used as keys. */
const CACHED = 512;
const CACHED_LENGTH = 0x1000;

/** How objects of one shape are read. */
export class ReadShape {
  readonly size: number;
  private readonly keys: readonly string[];
  private build: Build | undefined;
  private reads = 0;

  constructor(keys: readonly string[]) {
    this.keys = keys;
    this.size = keys.length;
  }

  read(reader: ValueReader): object {
    if (this.build !== undefined) return this.build(reader);
    if (++this.reads > GENERATE_AFTER) this.build = generate(this.keys);
    const made: Record<string, unknown> = {};
    for (const key of this.keys) setField(made, key, reader.read());
    return made;
  }
}

/** Sets an own property, also for the one name that an assignment treats differently. */
export function setField(made: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') made[key] = value;
  else Object.defineProperty(made, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Lookup tables from the text of a table, or of one shape's keys, to what it means; nothing of any record is in them. */
const tables = new Map<string, readonly ReadShape[]>();
const shapes = new Map<string, ReadShape>();

/** Parses a table of shapes; @throws SyntaxError or TypeError for anything else. */
export function parseShapes(text: string): readonly ReadShape[] {
  const known = tables.get(text);
  if (known) return known;
  const parsed: unknown = JSON.parse(text);
  if (!Array.isArray(parsed)) throw new TypeError('shapes are no array');
  const table = parsed.map(shapeOf);
  if (tables.size < CACHED && text.length <= CACHED_LENGTH) tables.set(text, table);
  return table;
}

function shapeOf(keys: unknown): ReadShape {
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'string')) throw new TypeError('a shape is no array of keys');
  const text = JSON.stringify(keys);
  const known = shapes.get(text);
  if (known) return known;
  const shape = new ReadShape(keys);
  if (shapes.size < CACHED && text.length <= CACHED_LENGTH) shapes.set(text, shape);
  return shape;
}

/** Object literals are the only way by which V8 makes an object of a known layout at once. Undefined where code generation is off. */
function generate(keys: readonly string[]): Build | undefined {
  const fields = keys.map((key) => `[${JSON.stringify(key)}]: reader.read()`);
  try {
    // Keys stand in the code as JSON strings only, which cannot end the literal, whatever they contain.
    // eslint-disable-next-line @typescript-eslint/no-implied-eval
    return new Function('reader', `return { ${fields.join(', ')} };`) as Build;
  } catch {
    return undefined;
  }
}
