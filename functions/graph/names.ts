import { MillraceError } from '../shared/errors.ts';

const MAX_NAME_LENGTH = 64;
const NAME = /^[a-zA-Z0-9_-]+$/;

/** Uids that would give a topic the name of another one. */
const RESERVED_UIDS: readonly string[] = ['dlq'];

/** True for what may stand in names of topics, groups and functions: 1 to 64 of a-z, A-Z, 0-9, `_` and `-`. */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_NAME_LENGTH && NAME.test(value);
}

/** @throws MILLRACE_OPTION_INVALID if `value` cannot be part of a topic's name; `what` says what it is the name of. */
export function checkName(what: string, value: unknown): string {
  if (isName(value)) return value;
  throw new MillraceError(
    'MILLRACE_OPTION_INVALID',
    `${what} is ${JSON.stringify(value)}: give 1 to ${MAX_NAME_LENGTH} of a-z, A-Z, 0-9, _ and -`,
  );
}

/** @throws MILLRACE_UID_INVALID */
export function checkUid(value: unknown): string {
  if (isName(value) && !RESERVED_UIDS.includes(value)) return value;
  throw new MillraceError(
    'MILLRACE_UID_INVALID',
    `uid ${JSON.stringify(value)} is not usable: give 1 to ${MAX_NAME_LENGTH} of a-z, A-Z, 0-9, _ and -, and not 'dlq'`,
  );
}

/** A uid made from a name typed for people: `Delay per origin` → `delay-per-origin`; undefined where no usable character is left. */
export function slug(name: string): string | undefined {
  const text = name
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '-')
    .slice(0, MAX_NAME_LENGTH)
    .replace(/^-+|-+$/g, '');
  return text === '' || RESERVED_UIDS.includes(text) ? undefined : text;
}

/** Uid of the n-th source of a pipeline, where it is made of elements in the file and the user has not typed one. */
export function elementsUid(n: number): string {
  return `elements-${n}`;
}

/** Uid of an operator on a set, where the user has not typed one. @param n - Of its place in the file. */
export function batchUid(n: number, method: string): string {
  return `batch-${n}-${method}`;
}

/**
 * True for a uid that nobody typed, so the lock file does not guard it: elements in a file are no position in a stream, and a batch is run to its
 * end by the file that began it.
 */
export function isGeneratedUid(uid: string): boolean {
  return /^(elements-\d+|batch-\d+-[a-zA-Z]+)$/.test(uid);
}

/** Internal topic that the stage `stage` reads. */
export function channelTopic(namespace: string, pipeline: string, stage: string, generation: number): string {
  return `${namespace}.${pipeline}.${stage}.g${generation}`;
}

/** Topic that a feeder fills. */
export function feedTopic(namespace: string, pipeline: string, uid: string): string {
  return `${namespace}.${pipeline}.${uid}`;
}

/** Topic of the records that are collected under a name. @param pipeline - `<namespace>.<pipeline>` */
export function collectTopic(pipeline: string, name: string): string {
  return `${pipeline}.${name}.collected`;
}

export function deadLetterTopic(namespace: string, pipeline: string): string {
  return `${namespace}.${pipeline}.dlq`;
}

/** Name of a stage among all pipelines. */
export function stageName(namespace: string, pipeline: string, stage: string): string {
  return `${namespace}.${pipeline}.${stage}`;
}
