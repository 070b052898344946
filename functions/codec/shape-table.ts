import { MAX_SHAPE_KEYS, MAX_SHAPES } from './value-format.ts';

/** A list of keys that objects of this frame have, in this order. */
export interface Shape {
  readonly keys: readonly string[];
  /** Its number in the table; −1 once it has been taken back. */
  index: number;
  /** Upper bound of its bytes in the encoded table. */
  readonly bytes: number;
  /** The shape last seen in each field: the one to try first in the next object, as records of a stream are alike. */
  readonly inside: (Shape | undefined)[];
}

/** Above this count shapes are found by their joined keys rather than one by one. */
const SCANNED = 16;

/** The shapes of one frame or value, in the order in which they were met. */
export class ShapeTable {
  readonly shapes: Shape[] = [];
  /** Upper bound of `encode().length`. */
  bytes = 0;
  private readonly byKeys = new Map<string, Shape>();

  /** The shape with these keys; undefined where the keys have to be written with the object. */
  find(keys: readonly string[]): Shape | undefined {
    const { shapes } = this;
    for (let i = 0; i < shapes.length && i < SCANNED; i++) {
      const shape = shapes[i];
      if (shape && sameKeys(shape.keys, keys)) return shape;
    }
    if (keys.length > MAX_SHAPE_KEYS) return undefined;
    return (shapes.length > SCANNED ? this.byKeys.get(JSON.stringify(keys)) : undefined) ?? this.add(keys);
  }

  /** Takes back all shapes but the first `count`. */
  truncate(count: number): void {
    while (this.shapes.length > count) {
      const shape = this.shapes.pop();
      if (!shape) return;
      shape.index = -1;
      this.bytes -= shape.bytes;
      if (this.shapes.length >= SCANNED) this.byKeys.delete(JSON.stringify(shape.keys));
    }
  }

  /** The table as JSON: an array of arrays of keys. */
  encode(): Buffer {
    return Buffer.from(JSON.stringify(this.shapes.map(({ keys }) => keys)));
  }

  private add(keys: readonly string[]): Shape | undefined {
    const { shapes } = this;
    const index = shapes.length;
    if (index >= MAX_SHAPES) return undefined;
    let bytes = 7;
    for (const key of keys) bytes += 3 + 6 * key.length;
    const shape: Shape = { keys, index, bytes, inside: new Array<Shape | undefined>(keys.length).fill(undefined) };
    shapes.push(shape);
    this.bytes += bytes;
    if (index >= SCANNED) this.byKeys.set(JSON.stringify(keys), shape);
    return shape;
  }
}

function sameKeys(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
