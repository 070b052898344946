import { mutateBytes } from './byte-mutator.ts';
import { below, pick, type Random } from './random.ts';

/** Stands for JSON that `JSON.stringify` does not write. */
const RAW = '\u0001raw:';

const STRANGE: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  0.5,
  2 ** 53,
  -(2 ** 63),
  `${RAW}1e999`,
  `${RAW}-1e999`,
  `${RAW}-0`,
  '',
  'text',
  '1',
  '\ud800',
  'x'.repeat(3000),
  [],
  [null],
  [[]],
  {},
  { length: 4294967295 },
  { toString: 1, valueOf: 1 },
  `${RAW}{"__proto__":{"topic":"t","partition":0,"offset":1}}`,
  `${RAW}{"constructor":{"prototype":null}}`,
  RAW + '['.repeat(5000) + ']'.repeat(5000),
  RAW + '{"a":'.repeat(2000) + '0' + '}'.repeat(2000),
];

/** JSON text with one to three damages: mostly to its structure, sometimes to its bytes, which may then be no JSON. */
export function mutateJson(input: Buffer, random: Random, others: readonly Buffer[]): Buffer {
  if (random() < 0.15) return mutateBytes(input, random, others);
  const root: Box = { value: JSON.parse(input.toString()) };
  // Without a root there is nothing left to damage: that prints as null.
  for (let times = 1 + below(random, 3); times > 0 && 'value' in root; times--) damage(pick(random, placesIn(root)), random, others);
  return Buffer.from(print(root.value));
}

interface Box {
  value: unknown;
}

/** A field of an object or item of a list. */
interface Place {
  readonly owner: Record<string, unknown>;
  readonly name: string;
}

function placesIn(root: Box): Place[] {
  const places: Place[] = [];
  const visit = (owner: Record<string, unknown>): void => {
    for (const name of Object.keys(owner)) {
      places.push({ owner, name });
      const value = owner[name];
      if (typeof value === 'object' && value !== null) visit(value as Record<string, unknown>);
    }
  };
  visit(root as unknown as Record<string, unknown>);
  return places;
}

function damage({ owner, name }: Place, random: Random, others: readonly Buffer[]): void {
  const value = owner[name];
  const kind = below(random, 7);
  if (kind === 0) remove(owner, name);
  else if (kind === 1 && Array.isArray(value)) value.push(...(value as unknown[]));
  else if (kind === 1 && !Array.isArray(owner))
    setOwn(owner, pick(random, ['__proto__', 'constructor', 'toString', name.toUpperCase(), '']), value);
  else if (kind === 2) owner[name] = [value];
  else if (kind === 3 && typeof value === 'number') owner[name] = value + pick(random, [-1, 1, 0.5, 2 ** 31, 2 ** 53]);
  else if (kind === 3 && typeof value === 'string')
    owner[name] = value.slice(0, below(random, value.length + 1)) + pick(random, ['', '=', '\0', 'é']);
  else if (kind === 4) owner[name] = JSON.parse(pick(random, others).toString()) as unknown;
  else owner[name] = structuredClone(pick(random, STRANGE)); // it may be damaged in turn
}

function remove(owner: Record<string, unknown>, name: string): void {
  if (Array.isArray(owner)) owner.splice(Number(name), 1);
  else Reflect.deleteProperty(owner, name);
}

/** As a parser of JSON does: `__proto__` too becomes a field. */
function setOwn(owner: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(owner, name, { value, enumerable: true, configurable: true, writable: true });
}

function print(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  return (text ?? 'null').replace(/"\\u0001raw:((?:[^"\\]|\\.)*)"/g, (_, raw: string) => JSON.parse(`"${raw}"`) as string);
}
