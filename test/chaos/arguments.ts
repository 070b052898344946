import { parseArgs } from 'node:util';
import { ServicesError } from '../services/services-error.ts';

export const usage = `npm run test:chaos -- [--seeds N] [--seed S] [--records N]

--seeds N    runs, one after the other; each with a seed of its own (3)
--seed S     the first seed (1)
--records N  input of each run (100000)
`;

/** What was asked for, checked. */
export interface ChaosArguments {
  readonly seeds: number;
  readonly seed: number;
  readonly records: number;
}

const number = { type: 'string' } as const;
const options = { seeds: number, seed: number, records: number };

/** @throws ServicesError USAGE */
export function parseChaosArguments(args: readonly string[]): ChaosArguments {
  const values = parse(args);
  return {
    seeds: wholeNumber('seeds', values.seeds ?? '3'),
    seed: wholeNumber('seed', values.seed ?? '1'),
    records: wholeNumber('records', values.records ?? '100000'),
  };
}

function parse(args: readonly string[]): { readonly [K in keyof typeof options]?: string | undefined } {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw wrong((error as Error).message);
  }
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value > 0) return value;
  throw wrong(`--${name} is '${text}'; it must be a whole number from 1`);
}

function wrong(what: string): ServicesError {
  return new ServicesError('USAGE', `${what}\n\n${usage}`);
}
