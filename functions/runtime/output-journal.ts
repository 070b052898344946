import type { ChannelWriter, OutgoingMessage } from '../channels/channel-writer.ts';
import type { TopicAppend } from '../channels/transactional-log.ts';
import { encodeValue } from '../codec/value.ts';
import type { SinkContext } from '../connectors/sink.ts';
import { appendInOrder } from './ordered-appends.ts';
import { type Check, decodeStored, isCount, isText, listOf, recordOf, stateCorrupt } from '../state/stored-value.ts';

/** One append, in the order of the calls; messages without their field names. */
type Append = readonly [topic: string, partition: number, messages: readonly Message[]];
type Message = readonly [
  key: Uint8Array | null,
  value: Uint8Array | null,
  headers: NonNullable<OutgoingMessage['headers']>,
  timestamp: number | null,
];
type Entry = readonly [appends: readonly Append[], lines: readonly string[], transaction: readonly Append[]];

/**
 * Takes what a batch of a journal stage puts out, in place of the log: it is committed with the state, and only then sent. So what leaves
 * is what was committed, whatever a repetition of the batch would have computed.
 */
export class OutputJournal implements ChannelWriter, Pick<SinkContext, 'channels' | 'print'> {
  readonly channels = this;
  private readonly log: ChannelWriter;
  private appends: Append[] = [];
  private lines: string[] = [];

  /** @param log - Tells the number of partitions of a topic; nothing is appended to it. */
  constructor(log: ChannelWriter) {
    this.log = log;
  }

  append(topic: string, partition: number, messages: readonly OutgoingMessage[]): Promise<void> {
    this.appends.push(toAppend({ topic, partition, messages }));
    return Promise.resolve();
  }

  readonly print = (line: string): void => {
    this.lines.push(line);
  };

  partitionCount(topic: string): Promise<number> {
    return this.log.partitionCount(topic);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Everything taken so far and what goes into a transaction, encoded, and forgets it; undefined if there is nothing. */
  take(transaction: readonly TopicAppend[]): Uint8Array | undefined {
    const entry: Entry = [this.appends, this.lines, transaction.map(toAppend)];
    this.appends = [];
    this.lines = [];
    return entry.some(({ length }) => length > 0) ? encodeValue(entry) : undefined;
  }
}

const isBytes: Check = (value) => value instanceof Uint8Array;
const isField: Check = (value) => value === null || isBytes(value);
const isTime: Check = (value) => value === null || isCount(value);
const isMessage = recordOf([isField, isField, listOf(recordOf([isText, isBytes])), isTime]);
const areAppends = listOf(recordOf([isText, isCount, listOf(isMessage)]));
const isEntry = recordOf([areAppends, listOf(isText), areAppends]);

/** What `take` encoded. @throws MILLRACE_STATE_CORRUPT for anything else, before any of it is sent */
export function decodeJournal(bytes: Uint8Array): Entry {
  const entry = decodeStored(bytes, JOURNAL);
  if (!isEntry(entry)) throw stateCorrupt(JOURNAL, 'it is no list of messages and lines');
  return entry as Entry;
}

const JOURNAL = 'a journal of outputs';

/** Sends what `take` gave: the appends of one partition one after another. Gives what is to be sent in a transaction. */
export async function publishJournal(
  bytes: Uint8Array,
  { channels, print }: Pick<SinkContext, 'channels' | 'print'>,
): Promise<readonly TopicAppend[]> {
  const [appends, lines, transaction] = decodeJournal(bytes);
  const byPartition = new Map<string, { topic: string; partition: number; appends: OutgoingMessage[][] }>();
  for (const append of appends) {
    const [topic, partition, messages] = append;
    const name = `${topic}-${partition}`;
    let list = byPartition.get(name);
    if (!list) byPartition.set(name, (list = { topic, partition, appends: [] }));
    list.appends.push(messages.map(toMessage));
  }
  await appendInOrder(channels, [...byPartition.values()]);
  for (const line of lines) print(line);
  return transaction.map(([topic, partition, messages]) => ({ topic, partition, messages: messages.map(toMessage) }));
}

function toAppend({ topic, partition, messages }: TopicAppend): Append {
  return [topic, partition, messages.map(({ key, value, headers = [], timestamp = null }) => [key, value, headers, timestamp])];
}

function toMessage([key, value, headers, timestamp]: Message): OutgoingMessage {
  return { key, value, headers, ...(timestamp !== null && { timestamp }) };
}
