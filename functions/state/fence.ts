import { encodeValue } from '../codec/value.ts';
import type { Origin } from '../shared/origin.ts';
import { type Check, decodeStored, isCount, isNumber, isText, listOf, mapOf, recordOf, setOf, stateCorrupt } from './stored-value.ts';
import type { FragmentShape } from './fragment-keys.ts';

/** The last origin applied from one upstream task, and the log time of the input that it came from. */
export interface Mark extends Origin {
  readonly time: number;
}

/** One committed change of the state, in `paths` (one delta node, or several chunks). */
export interface DeltaEntry {
  readonly seq: number;
  readonly paths: readonly string[];
  readonly bytes: number;
  /** Fragments that it touches. */
  readonly fragments: readonly number[];
}

/** The image of one fragment, in `paths` (chunks in order). */
export interface ImageEntry {
  readonly fragment: number;
  /** Number of the last change in it. */
  readonly seq: number;
  readonly paths: readonly string[];
  readonly bytes: number;
}

/** The decision that the record at a position of a message is a dead letter, with what its last attempt threw. */
export interface Verdict {
  readonly position: number;
  readonly failure: Failure;
}

/** Why a record or timer failed, as it goes into a dead letter's headers. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly stack: string;
  readonly attempts: number;
}

/**
 * What a task has already applied: the one record that is compared and set. Everything else in the store is named by it or garbage.
 * Paths are relative to the task's.
 */
export interface Fence {
  /** The pipeline's options that decide which task and fragment a key's state is in: with others it would not be found. */
  readonly maxParallelism: number;
  readonly stateFragments: number;
  /** First input offset that has not been applied. */
  readonly next: number;
  /** Largest log time applied; a lower offset with a later time means that the topic was recreated. */
  readonly lastTime: number;
  readonly marks: ReadonlyMap<string, Mark>;
  /** Last watermark of each upstream task. */
  readonly watermarks: ReadonlyMap<string, number>;
  /** Upstream tasks that have been declared idle, and not been heard of since; none that has ended. */
  readonly idle: ReadonlySet<string>;
  /** Task counts of upstream stages, as their frames tell, where the plan does not know them. */
  readonly taskCounts: ReadonlyMap<string, number>;
  /** The task's event time; only rises. */
  readonly watermark: number;
  /** Largest event time minus bound that the watermark generator of a source stage has seen. */
  readonly generator: number;
  /** Largest log append time seen. */
  readonly processingTime: number;
  /** Number of the last committed change; never goes back, so a cached image is named by (creation, seq). */
  readonly seq: number;
  /**
   * The images hold the state at this number, and the deltas go on from there. Some may be of a later state: deltas set and remove whole values,
   * so all of them in order, upon images of any state since, give the last one.
   */
  readonly imageSeq: number;
  readonly images: readonly ImageEntry[];
  readonly deltas: readonly DeltaEntry[];
  /**
   * Records of the message at offset `decided` that are decided to be dead letters, by their position in it: an index into `failures`. A
   * message can hold a hundred thousand records, and all of them may fail, so a verdict takes a few bytes.
   */
  readonly verdicts: ReadonlyMap<number, number>;
  /** Not below `next`; −1 without verdicts. */
  readonly decided: number;
  readonly failures: readonly Failure[];
  /**
   * Where the outputs of a journal stage stand that were committed with this fence, perhaps not sent yet: chunks, in order. Only the next
   * commit clears it, so whoever reads it sends them (again).
   */
  readonly pending: readonly string[];
  /** Gaps of the source that were committed. */
  readonly gaps: number;
  /** Names the attempt that wrote it. */
  readonly nonce: string;
}

/** The fence of a task that has applied nothing and begins at input offset `next`. */
export function newFence(next: number, nonce: string, { maxParallelism, count }: FragmentShape): Fence {
  return {
    maxParallelism,
    stateFragments: count,
    next,
    lastTime: -1,
    marks: new Map(),
    watermarks: new Map(),
    idle: new Set(),
    taskCounts: new Map(),
    watermark: -Infinity,
    generator: -Infinity,
    processingTime: -Infinity,
    seq: 0,
    imageSeq: 0,
    images: [],
    deltas: [],
    verdicts: new Map(),
    decided: -1,
    failures: [],
    pending: [],
    gaps: 0,
    nonce,
  };
}

export function encodeFence(fence: Fence): Uint8Array {
  return encodeValue(fence);
}

/** Names of nodes below the task's path. */
const isNodeList = listOf((name) => typeof name === 'string' && /^[cdip]-[\w-]+$/.test(name));

const FIELDS: Readonly<Record<keyof Fence, Check>> = {
  maxParallelism: isCount,
  stateFragments: isCount,
  next: isCount,
  lastTime: isNumber,
  marks: mapOf(recordOf({ offset: isCount, ordinal: isCount, emission: isCount, time: isNumber })),
  watermarks: mapOf(isNumber),
  idle: setOf(isText),
  taskCounts: mapOf(isCount),
  watermark: isNumber,
  generator: isNumber,
  processingTime: isNumber,
  seq: isCount,
  imageSeq: isCount,
  images: listOf(recordOf({ fragment: isCount, seq: isCount, paths: isNodeList, bytes: isCount })),
  deltas: listOf(recordOf({ seq: isCount, paths: isNodeList, bytes: isCount, fragments: listOf(isCount) })),
  verdicts: mapOf(isCount, isCount),
  decided: isNumber,
  failures: listOf(recordOf({ code: isText, message: isText, stack: isText, attempts: isCount })),
  pending: isNodeList,
  gaps: isCount,
  nonce: isText,
};

/**
 * The fence that `encodeFence` was given.
 *
 * @param path - The node's, for messages.
 * @throws MILLRACE_STATE_CORRUPT for anything that is no fence: what a task computed from it would be committed.
 */
export function decodeFence(data: Uint8Array, path = 'of a task'): Fence {
  const what = `fence ${path}`;
  const fence = decodeStored(data, what) as Fence;
  for (const [name, isValid] of Object.entries(FIELDS)) {
    if (!isValid((fence as Fence | null | undefined)?.[name as keyof Fence])) throw stateCorrupt(what, `its field ${name} is none`);
  }
  const { seq, imageSeq, deltas, failures } = fence;
  // One delta a number: a hole would be a change that is lost.
  if (deltas.length !== seq - imageSeq || deltas.some((delta, i) => delta.seq !== imageSeq + 1 + i))
    throw stateCorrupt(what, `its ${deltas.length} deltas do not lead from its images at ${imageSeq} to ${seq}`);
  for (const failure of fence.verdicts.values())
    if (failure >= failures.length) throw stateCorrupt(what, `a verdict names failure ${failure} of ${failures.length}`);
  return fence;
}

/** Below zero where `a` comes before `b`. */
export function compareOrigins(a: Origin, b: Origin): number {
  return a.offset - b.offset || a.ordinal - b.ordinal || a.emission - b.emission;
}

/** Different failures that one fence tells apart. */
const MAX_FAILURES = 32;
const MAX_MESSAGE = 500;
const MAX_STACK = 1500;

export type Decisions = Pick<Fence, 'verdicts' | 'decided' | 'failures'>;

/**
 * A fence's verdicts and new ones on the message at `offset`; those on another message are over. Beyond the first different failures only
 * the code is kept.
 */
export function addVerdicts(held: Decisions, offset: number, added: readonly Verdict[]): Decisions {
  if (added.length === 0) return { verdicts: held.verdicts, decided: held.decided, failures: held.failures };
  const isSame = held.decided === offset;
  const verdicts = new Map(isSame ? held.verdicts : []);
  const failures = isSame ? [...held.failures] : [];
  for (const { position, failure } of added) verdicts.set(position, indexOfFailure(failures, failure));
  return { verdicts, decided: offset, failures };
}

function indexOfFailure(failures: Failure[], failure: Failure): number {
  const { code, attempts } = failure;
  const message = failure.message.slice(0, MAX_MESSAGE);
  const known = failures.findIndex((one) => one.code === code && one.message === message);
  if (known >= 0) return known;
  if (failures.length < MAX_FAILURES) return failures.push({ code, message, stack: failure.stack.slice(0, MAX_STACK), attempts }) - 1;
  const other = failures.findIndex((one) => one.code === code && one.stack === '');
  if (other >= 0) return other;
  return failures.push({ code, message: 'one of many failures of its message; its own text was not kept', stack: '', attempts }) - 1;
}
