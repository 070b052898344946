import type { ErrorCode } from '../../functions/shared/errors.ts';
import { mutateBytes } from './byte-mutator.ts';
import { mutateJson } from './json-mutator.ts';
import type { Random } from './random.ts';
import { mutateValue } from './value-mutator.ts';

/** A parser of bytes from outside, and what it needs to be fuzzed. */
export interface FuzzTarget {
  readonly name: string;
  /** Inputs as the real encoders make them. */
  readonly corpus: readonly Buffer[];
  /** Parses, and uses the value as its reader would; throws what the parser throws, or an error of its own for a value that is garbage. */
  readonly parse: (input: Buffer) => void;
  /** What the parser's documentation says that it throws. */
  readonly codes: readonly ErrorCode[];
  /** Errors of another kind that its documentation names. */
  readonly isDocumented?: (error: unknown) => boolean;
  readonly mutate: (input: Buffer, random: Random, others: readonly Buffer[]) => Buffer;
}

type Parser = Pick<FuzzTarget, 'name' | 'corpus' | 'parse' | 'codes' | 'isDocumented'>;

export function bytesTarget(parser: Parser): FuzzTarget {
  return { ...parser, mutate: mutateBytes };
}

/** For what `encodeValue` wrote. */
export function valueTarget(parser: Parser): FuzzTarget {
  return { ...parser, mutate: mutateValue };
}

/** Damages what lies behind a checksum, and makes that right again, in most inputs. */
export function sealedTarget(parser: Parser, seal: (damaged: Buffer) => Buffer, mutate: FuzzTarget['mutate'] = mutateBytes): FuzzTarget {
  return {
    ...parser,
    mutate: (input, random, others) => {
      const damaged = mutate(input, random, others);
      return random() < 0.9 ? seal(damaged) : damaged;
    },
  };
}

export function jsonTarget(parser: Parser): FuzzTarget {
  return { ...parser, mutate: mutateJson };
}
