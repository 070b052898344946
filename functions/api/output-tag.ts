import { checkName } from '../graph/names.ts';
import { printType, type TypeWitness } from './types.ts';

/** Names a side output and its type. */
export interface OutputTag<T> {
  readonly name: string;
  /** Printable type. */
  readonly type: string;
  /** Only for the compiler; never present. */
  readonly '~value'?: (value: T) => T;
}

/** A tag whose side output takes records of type `T`, of this or a wider type. */
export interface LateTag<T> {
  readonly name: string;
  /** Only for the compiler; never present. */
  readonly '~value'?: (value: T) => unknown;
}

/**
 * A side output: a process function writes to it with `ctx.output(tag, value)`, and `stream.getSideOutput(tag)` reads it. What nobody
 * reads is dropped.
 *
 * @example const late = outputTag('late', Types.object({ origin: Types.string }));
 */
export function outputTag<T>(name: string, type: TypeWitness<T>): OutputTag<T> {
  return Object.freeze({ name: checkName('an output tag', name), type: printType(type) });
}
