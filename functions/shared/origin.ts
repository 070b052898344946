/** A place in an upstream task's output: origins of one task are compared lexicographically. */
export interface Origin {
  readonly offset: number;
  readonly ordinal: number;
  readonly emission: number;
}

/** Header with the origin of what a dead letter tells of, or of a sink's message, as `describeOrigin` writes it. */
export const ORIGIN_HEADER = 'millrace-origin';

/** Name of a task, with its generation: the upstream of its frames. */
export function taskName(stage: string, topic: string, partition: number, generation: number): string {
  return `${stage}/${topic}-${partition}@${generation}`;
}

/** Text of an origin, for headers, verdicts and messages. */
export function describeOrigin(upstream: string, origin: Origin): string {
  return `${upstream}:${origin.offset}.${origin.ordinal}.${origin.emission}`;
}

/** An origin with its task taken apart. */
export interface TaskOrigin extends Origin {
  readonly stage: string;
  readonly topic: string;
  readonly partition: number;
  readonly generation: number;
}

const ORIGIN = /^([\w-]+)\/([\w.-]+)-(\d+)@(\d+):(\d+)\.(\d+)\.(\d+)$/;

/** Inverse of `describeOrigin`, of a task named by `taskName`; undefined for any other text. */
export function parseOrigin(text: string): TaskOrigin | undefined {
  const [, stage = '', topic = '', ...numbers] = ORIGIN.exec(text) ?? [];
  const [partition, generation, offset, ordinal, emission] = numbers.map(Number);
  if (partition === undefined || generation === undefined || offset === undefined || ordinal === undefined || emission === undefined)
    return undefined;
  const isExact = [partition, generation, offset, ordinal, emission].every(Number.isSafeInteger);
  return isExact ? { stage, topic, partition, generation, offset, ordinal, emission } : undefined;
}
