import { cloneValue } from '../../functions/codec/clone.ts';
import { decodeValue, encodeValue } from '../../functions/codec/value.ts';
import { mutateBytes } from './byte-mutator.ts';
import { below, pick, type Random } from './random.ts';

const STRANGE: readonly unknown[] = [
  null,
  undefined,
  true,
  0,
  -1,
  0.5,
  NaN,
  Infinity,
  -Infinity,
  2 ** 53,
  2 ** 31,
  '',
  'text',
  '../../other',
  'n1x',
  't{',
  't["a"]',
  '9|sa',
  '|',
  '1e9|s',
  10n,
  new Date(0),
  new Uint8Array(3),
  [],
  [[]],
  [null, null, null, null],
  {},
  { length: 4294967295 },
  new Map(),
  new Map([[1, 1]]),
  new Set([1]),
];

/** Encoded values: half of them damaged in their structure, and encoded again; the others in their bytes. */
export function mutateValue(input: Buffer, random: Random, others: readonly Buffer[]): Buffer {
  if (random() < 0.5) return mutateBytes(input, random, others);
  return Buffer.from(encodeValue(damaged(decodeValue(input), random, () => decodeValue(pick(random, others)))));
}

/** The value with one to three of its parts changed, taken away or doubled. `other` gives what is put in a wrong place. */
export function damaged(value: unknown, random: Random, other: () => unknown): unknown {
  const root = [value];
  for (let times = 1 + below(random, 3); times > 0; times--) {
    const places = placesIn(root);
    if (places.length > 0) damage(pick(random, places), random, other);
  }
  return root[0];
}

interface Place {
  readonly value: unknown;
  set(value: unknown): void;
  remove(): void;
}

function damage(place: Place, random: Random, other: () => unknown): void {
  const { value } = place;
  const kind = below(random, 6);
  if (kind === 0) place.remove();
  else if (kind === 1 && Array.isArray(value)) place.set([...(value as unknown[]), ...(value as unknown[])]);
  else if (kind === 1 && typeof value === 'number') place.set(value + pick(random, [-1, 1, 0.5, 2 ** 32, 2 ** 53]));
  else if (kind === 1 && typeof value === 'string')
    place.set(value.slice(below(random, value.length + 1)) + pick(random, ['', '/', '|', '\ud83d']));
  else if (kind === 2) place.set([value]);
  else if (kind === 3) place.set(other());
  else place.set(cloneValue(pick(random, STRANGE))); // it may be damaged in turn
}

function placesIn(root: unknown[]): Place[] {
  const places: Place[] = [];
  const visit = (value: unknown): void => {
    const inside = partsOf(value);
    places.push(...inside);
    for (const part of inside) visit(part.value);
  };
  visit(root);
  return places;
}

function partsOf(value: unknown): Place[] {
  if (Array.isArray(value)) return value.map((_, i) => partOfArray(value, i));
  if (value instanceof Map) return [...value.keys()].flatMap((key) => partsOfMap(value, key));
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return [];
  const fields = value as Record<string, unknown>;
  return Object.keys(fields).map((name) => ({
    value: fields[name],
    set: (to) => (fields[name] = to),
    remove: () => Reflect.deleteProperty(fields, name),
  }));
}

function partOfArray(list: unknown[], i: number): Place {
  return { value: list[i], set: (to) => (list[i] = to), remove: () => list.splice(i, 1) };
}

/** An entry's value, and its key. */
function partsOfMap(map: Map<unknown, unknown>, key: unknown): Place[] {
  const remove = (): void => void map.delete(key);
  const rename = (to: unknown): void => {
    const value = map.get(key);
    map.delete(key);
    map.set(to, value);
  };
  return [
    { value: map.get(key), set: (to) => map.set(key, to), remove },
    { value: key, set: rename, remove },
  ];
}
