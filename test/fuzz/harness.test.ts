import { describe, expect, test } from '@jest/globals';
import { MillraceError } from '../../functions/shared/errors.ts';
import { mutateBytes } from './byte-mutator.ts';
import { fuzz, type FuzzLimits } from './harness.ts';
import { mutateJson } from './json-mutator.ts';
import { randomOf } from './random.ts';
import { bytesTarget, sealedTarget } from './target.ts';

const corpus = [Buffer.from([4, 0, 0, 0, 1, 2, 3, 4]), Buffer.from([2, 0, 0, 0, 9, 9])];

function corrupt(): MillraceError {
  return new MillraceError('MILLRACE_STATE_CORRUPT', 'its length is wrong');
}

/** What a right parser of a length and as many bytes does. */
function readRight(input: Buffer): Buffer {
  if (input.length < 4 || input.readUInt32LE(0) !== input.length - 4) throw corrupt();
  return input.subarray(4);
}

function kindsOf(parse: (input: Buffer) => void, limits: Partial<FuzzLimits> = {}): readonly string[] {
  const report = fuzz(bytesTarget({ name: 'planted', corpus, parse, codes: ['MILLRACE_STATE_CORRUPT'] }), 2000, 1, limits);
  return [...new Set(report.faults.map(({ kind }) => kind))];
}

test('a right parser has no fault', () => {
  const report = fuzz(bytesTarget({ name: 'right', corpus, parse: readRight, codes: ['MILLRACE_STATE_CORRUPT'] }), 2000, 1);

  expect(report).toMatchObject({ inputs: 2000, faults: [] });
  expect(report.values).toBeGreaterThan(0);
  expect(report.values + (report.codes.get('MILLRACE_STATE_CORRUPT') ?? 0)).toBe(2000);
});

describe('a planted parser is found that', () => {
  /** Kept by a parser that leaks. */
  const kept: Uint8Array[] = [];

  test('lets a TypeError escape', () => {
    expect(kindsOf((input) => (undefined as unknown as Buffer[])[input.length]!.length)).toContain('undocumented error');
    expect(kindsOf((input) => void input.readUInt32LE(0))).toEqual(['undocumented error']);
  });

  test('throws a code that it does not document', () => {
    expect(
      kindsOf((input) => {
        if (input.length < 6) throw new MillraceError('MILLRACE_CONFLICT', 'no');
      }),
    ).toEqual(['undocumented error']);
  });

  test('takes garbage for a value', () => {
    expect(
      kindsOf((input) => {
        if (input.length >= 4 && input.readUInt32LE(0) > 100) throw new Error('garbage');
      }),
    ).toEqual(['undocumented error']);
  });

  test('makes buffers as large as a length says', () => {
    const kinds = kindsOf((input) => {
      if (input.length < 4) throw corrupt();
      Buffer.alloc(Math.min(input.readUInt32LE(0), 100_000_000));
    });

    expect(kinds).toContain('large allocation');
  });

  test('makes lists as long as a count says', () => {
    const kinds = kindsOf((input) => {
      if (input.length < 4) throw corrupt();
      Array.from({ length: Math.min(input.readUInt32LE(0), 20_000_000) }, () => {
        throw corrupt();
      });
    });

    expect(kinds).toContain('large allocation');
  });

  test('never comes back', () => {
    const kinds = kindsOf(
      (input) => {
        for (let at = 0; at < input.length; at += input[0] === 0 ? 0 : 1);
      },
      { hangMs: 300 },
    );

    expect(kinds).toEqual(['hang']);
  });

  test('takes long', () => {
    const kinds = kindsOf(
      (input) => {
        const until = performance.now() + (input.length > 8 ? 20 : 0);
        while (performance.now() < until);
      },
      { slowMs: 15 },
    );

    expect(kinds).toContain('slow');
  });

  test('keeps what it was given', () => {
    const kinds = kindsOf(() => void kept.push(new Uint8Array(10_000)), { growthBytes: 10_000_000 });

    kept.length = 0;
    expect(kinds).toEqual(['growth']);
  });

  test('refuses what the real encoder wrote', () => {
    expect(
      kindsOf(() => {
        throw corrupt();
      }),
    ).toEqual(['corpus refused']);
  });

  test('is behind a checksum', () => {
    /** The last byte is the sum of the others. */
    const sum = (bytes: Buffer): number => bytes.subarray(0, -1).reduce((all, byte) => (all + byte) & 0xff, 0);
    const seal = (bytes: Buffer): Buffer => {
      const copy = Buffer.from(bytes);
      if (copy.length > 0) copy[copy.length - 1] = sum(copy);
      return copy;
    };
    const parse = (input: Buffer): void => {
      if (input.length === 0 || sum(input) !== input.at(-1)) throw corrupt();
      if (input[0] === 0xff) throw new TypeError('behind the checksum');
    };
    const parser = { name: 'sealed', corpus: corpus.map((one) => seal(one)), parse, codes: ['MILLRACE_STATE_CORRUPT'] as const };

    expect(fuzz(sealedTarget(parser, seal), 2000, 1).faults[0]?.kind).toBe('undocumented error');
  });
});

describe('damage', () => {
  const json = Buffer.from('{"a":[1,{"b":"text"}],"c":null}');

  test('is the same for a seed, and another for another', () => {
    const made = (seed: number): string[] => {
      const random = randomOf(seed);
      const bytes = Array.from({ length: 50 }, () => mutateBytes(corpus[0]!, random, corpus).toString('hex'));
      return [...bytes, ...Array.from({ length: 50 }, () => mutateJson(json, random, [json]).toString())];
    };

    expect(made(1)).toEqual(made(1));
    expect(made(1)).not.toEqual(made(2));
  });

  test('makes inputs that hardly ever are the same twice, and leaves the corpus as it is', () => {
    const before = corpus.map((one) => one.toString('hex'));
    const random = randomOf(3);
    const made = new Set(Array.from({ length: 1000 }, () => mutateBytes(corpus[0]!, random, corpus).toString('hex')));

    expect(made.size).toBeGreaterThan(600);
    expect(corpus.map((one) => one.toString('hex'))).toEqual(before);
  });

  test('brings what JSON.stringify never writes, as text', () => {
    const random = randomOf(4);
    const texts = Array.from({ length: 2000 }, () => mutateJson(json, random, [json]).toString());

    for (const rare of ['1e999', '"__proto__"', '['.repeat(5000)]) expect(texts.some((text) => text.includes(rare))).toBe(true);
    expect(texts.some((text) => text.includes('raw:'))).toBe(false);
  });
});
