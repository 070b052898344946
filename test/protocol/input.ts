import { createRandom, type WorldConfig } from './config.ts';
import { BOUND_MS, END_TIME, hash, type InputRecord, sourceTopic } from './pipeline.ts';

/** A message of a source topic as the world will append it. */
export interface InputMessage {
  readonly offset: number;
  readonly record: InputRecord;
  readonly value: Uint8Array;
  /** False where the value cannot be decoded, or its output cannot be sent: a dead letter of the stage that reads it. */
  readonly isReadable: boolean;
  /** CreateTime of the message; undefined where the log sets the time. */
  readonly time: number | undefined;
}

export interface InputPartition {
  readonly topic: string;
  readonly partition: number;
  readonly messages: readonly InputMessage[];
  /** Bounded: no message at or above it is read. */
  readonly end: number | undefined;
  /** Bounded: what the topic gets behind its end. */
  readonly beyond: readonly InputMessage[];
}

type Draft = { readonly topic: string; readonly partition: number; readonly messages: InputMessage[] };

/** The whole input of a world, from its seed: in order of time with jitter; in a `late` world some records are beyond the bound. */
export function createInput(config: WorldConfig): InputPartition[] {
  const n = createRandom(config.seed + 99);
  const drafts = createDrafts(config);
  let time = 10;
  for (let i = 0; i < config.records; i++) {
    const key = `k${n(config.keys)}`;
    const draft = drafts[config.topology === 'direct' ? hash(key) % drafts.length : n(drafts.length)];
    time += n(7);
    const own = Math.max(0, time - n(BOUND_MS + 1) - (config.late && n(3) === 0 ? 15 : 0));
    const gap = (config.topology === 'direct' || config.bare) && n(3) === 0 ? 1 + n(2) : 0;
    const record = { id: `s${i}`, key, time: own, two: n(3) === 0, ...(config.huge && i === 2 && { huge: true }) };
    draft?.messages.push(toMessage(config, record, nextOffset(draft.messages) + gap, n));
  }
  return drafts.map((draft) => finish(config, draft, time, n));
}

function createDrafts({ topology, partitions }: WorldConfig): Draft[] {
  const names = topology === 'fanin' ? ['a', 'z'] : ['a'];
  return names.flatMap((name) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic: sourceTopic(name), partition, messages: [] })),
  );
}

/** Unbounded: a last record lifts the watermark to the end. Bounded: the end is fixed beforehand, and the topic grows on. */
function finish(config: WorldConfig, { topic, partition, messages }: Draft, time: number, n: (of: number) => number): InputPartition {
  const next = nextOffset(messages);
  if (!config.bounded) {
    const last = toMessage(config, { id: `last-${topic}-${partition}`, key: 'k0', time: END_TIME, two: false, last: true }, next, n, true);
    return { topic, partition, messages: [...messages, last], end: undefined, beyond: [] };
  }
  const end = next + n(2);
  const beyond = Array.from({ length: n(3) }, (_, i) =>
    toMessage(config, { id: `x${topic}${partition}${i}`, key: 'k0', time: time + 1, two: false }, end + i, n),
  );
  return { topic, partition, messages, end, beyond };
}

function toMessage(config: WorldConfig, record: InputRecord, offset: number, n: (of: number) => number, isLast = false): InputMessage {
  const isBad = !isLast && config.badInput && hash(record.id) % 4 === 1;
  const text = JSON.stringify(record);
  const time = config.logTime ? undefined : 1000 + n(500);
  return { offset, record, value: Buffer.from(isBad ? `bad ${text}` : text), isReadable: !isBad && record.huge !== true, time };
}

function nextOffset(messages: readonly InputMessage[]): number {
  return (messages.at(-1)?.offset ?? -1) + 1;
}
