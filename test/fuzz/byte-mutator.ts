import { below, pick, type Random } from './random.ts';

type Mutation = (input: Buffer, random: Random, others: readonly Buffer[]) => Buffer;

/** No input grows beyond this, whatever is inserted again and again. */
const MAX_BYTES = 64 * 1024;

const EXTREMES_32 = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

const MUTATIONS: readonly Mutation[] = [
  // Bits and bytes.
  (input, random) => change(input, (copy) => (copy[below(random, copy.length)]! ^= 1 << below(random, 8))),
  (input, random) => change(input, (copy) => (copy[below(random, copy.length)] = below(random, 256))),
  (input, random) => change(input, (copy) => (copy[below(random, copy.length)] = pick(random, [0, 1, 0x7f, 0x80, 0xe7, 0xeb, 0xec, 0xff]))),
  // What is there, cut off, doubled, moved.
  (input, random) => input.subarray(0, below(random, input.length)),
  (input, random) => {
    const [from, to] = slice(input, random);
    return Buffer.concat([input.subarray(0, from), input.subarray(to)]);
  },
  (input, random) => {
    const [from, to] = slice(input, random);
    const at = below(random, input.length + 1);
    return Buffer.concat([input.subarray(0, at), input.subarray(from, to), input.subarray(at)]);
  },
  (input, random) => {
    const at = below(random, input.length + 1);
    return Buffer.concat([input.subarray(0, at), Buffer.alloc(1 + below(random, 64), below(random, 256)), input.subarray(at)]);
  },
  (input, random, others) => {
    const other = pick(random, others);
    return Buffer.concat([input.subarray(0, below(random, input.length + 1)), other.subarray(below(random, other.length + 1))]);
  },
  // Lengths and counts: 16, 32 and 64 bits, both ways round, and varints.
  (input, random) => change(input, (copy) => room(copy, random, 2, (at) => copy.writeUInt16LE(pick(random, EXTREMES_32) & 0xffff, at))),
  (input, random) => change(input, (copy) => room(copy, random, 4, (at) => copy.writeUInt32LE(pick(random, EXTREMES_32), at))),
  (input, random) => change(input, (copy) => room(copy, random, 4, (at) => copy.writeUInt32BE(pick(random, EXTREMES_32), at))),
  (input, random) =>
    change(input, (copy) =>
      room(copy, random, 8, (at) => copy.writeDoubleLE(pick(random, [NaN, Infinity, -Infinity, -1, 0.5, 1e300, 2 ** 53]), at)),
    ),
  (input, random) => change(input, (copy) => room(copy, random, 8, (at) => copy.fill(0xff, at, at + 1 + below(random, 7)))),
];

/** The input with one to four damages. `others` are what slices come from. */
export function mutateBytes(input: Buffer, random: Random, others: readonly Buffer[]): Buffer {
  let made = input;
  for (let times = 1 + below(random, 4); times > 0; times--) {
    made = made.length === 0 ? Buffer.alloc(1 + below(random, 16), below(random, 256)) : pick(random, MUTATIONS)(made, random, others);
  }
  return made.subarray(0, MAX_BYTES);
}

function change(input: Buffer, damage: (copy: Buffer) => unknown): Buffer {
  const copy = Buffer.from(input);
  damage(copy);
  return copy;
}

/** A place for `bytes`, if the input is that long. Near the front more often: that is where lengths stand. */
function room(copy: Buffer, random: Random, bytes: number, write: (at: number) => void): void {
  const places = copy.length - bytes + 1;
  if (places > 0) write(below(random, random() < 0.4 ? Math.min(places, 24) : places));
}

function slice(input: Buffer, random: Random): [from: number, to: number] {
  const from = below(random, input.length);
  return [from, Math.min(input.length, from + 1 + below(random, random() < 0.5 ? 8 : input.length))];
}
