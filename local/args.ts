import { MillraceError } from '../functions/shared/errors.ts';

/** A command line, taken apart. Flags that the CLI does not know are kept as parameters of the pipeline: `--repeat 10` is `--param repeat=10`. Behind `--` nothing is a flag. */
export interface Arguments {
  readonly positionals: readonly string[];
  readonly flags: ReadonlyMap<string, string>;
  readonly switches: ReadonlySet<string>;
  readonly params: ReadonlyMap<string, string>;
}

/** Which flags take a value and which do not, without the dashes. */
export interface ArgumentShape {
  readonly valued: ReadonlySet<string>;
  readonly switches: ReadonlySet<string>;
}

/** @throws MILLRACE_FLAG_INVALID */
export function parseArguments(argv: readonly string[], shape: ArgumentShape): Arguments {
  const positionals: string[] = [];
  const flags = new Map<string, string>();
  const switches = new Set<string>();
  const params = new Map<string, string>();
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') return { positionals: [...positionals, ...rest], flags, switches, params };
    if (word === '-h') word = '--help';
    if (!word.startsWith('--')) {
      if (word.startsWith('-')) throw invalid(`unknown flag ${word}; flags begin with two dashes. See millrace help`);
      positionals.push(word);
      continue;
    }
    const [name, inline] = splitFlag(word);
    if (shape.switches.has(name)) {
      if (inline !== undefined) throw invalid(`--${name} takes no value, given '${inline}'`);
      switches.add(name);
      continue;
    }
    const value = inline ?? takeValue(name, rest, shape);
    if (name === 'param') setParam(params, value);
    else if (shape.valued.has(name)) flags.set(name, value);
    else params.set(name, value);
  }
  return { positionals, flags, switches, params };
}

function splitFlag(word: string): [name: string, inline: string | undefined] {
  const equals = word.indexOf('=');
  return equals < 0 ? [word.slice(2), undefined] : [word.slice(2, equals), word.slice(equals + 1)];
}

function takeValue(name: string, rest: string[], shape: ArgumentShape): string {
  const [value] = rest;
  if (value === undefined || value.startsWith('--')) throw invalid(describeMissing(name, shape));
  rest.shift();
  return value;
}

function describeMissing(name: string, { valued, switches }: ArgumentShape): string {
  if (valued.has(name)) return `--${name} needs a value: --${name} VALUE`;
  const similar = [...valued, ...switches].find((flag) => isSimilar(flag, name));
  if (similar !== undefined) return `unknown flag --${name}; did you mean --${similar}?`;
  return `unknown flag --${name}; if it is a parameter of the pipeline, it needs a value: --${name} VALUE. See millrace help`;
}

/** True for words that differ by one letter, or by two that have changed places. */
function isSimilar(a: string, b: string): boolean {
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  const [restOfA, restOfB] = [a.slice(start), b.slice(start)];
  const swapped = (restOfA[1] ?? '') + (restOfA[0] ?? '') + restOfA.slice(2);
  return restOfA.slice(1) === restOfB.slice(1) || restOfA.slice(1) === restOfB || restOfA === restOfB.slice(1) || swapped === restOfB;
}

function setParam(params: Map<string, string>, text: string): void {
  const equals = text.indexOf('=');
  if (equals < 1) throw invalid(`--param is '${text}'; give --param NAME=VALUE`);
  params.set(text.slice(0, equals), text.slice(equals + 1));
}

function invalid(message: string): MillraceError {
  return new MillraceError('MILLRACE_FLAG_INVALID', message);
}
