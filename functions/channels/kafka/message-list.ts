import { isMillraceError } from '../../shared/errors.ts';
import type { OnRefused, OutgoingMessage } from '../channel-writer.ts';

/**
 * Largest list that is sent at once, in bytes: Kafka's limit for a record batch is 1 MiB + 12 unless a topic says otherwise. A message
 * alone may be larger; the topic decides.
 */
const MAX_LIST_BYTES = 960_000;

/** Upper bound of what Kafka's record format adds to a message and to each header. */
const MESSAGE_OVERHEAD = 32;
const HEADER_OVERHEAD = 10;

/** Cuts messages into lists that fit one record batch each, in order. */
export function cutMessages(messages: readonly OutgoingMessage[]): readonly (readonly OutgoingMessage[])[] {
  const lists: OutgoingMessage[][] = [];
  let room = -1;
  for (const message of messages) {
    const bytes = recordBytes(message);
    if (bytes > room || lists.length === 0) {
      lists.push([]);
      room = MAX_LIST_BYTES;
    }
    lists.at(-1)?.push(message);
    room -= bytes;
  }
  return lists;
}

type Send = (list: readonly OutgoingMessage[]) => Promise<void>;

/**
 * Has `send` send messages in lists of one record batch each, one after the other. A topic with a limit below our estimate gets them in halves, and
 * so does one that refuses the timestamp of some: no broker's answer to kafkajs tells which.
 */
export async function sendInLists(messages: readonly OutgoingMessage[], send: Send, onRefused?: OnRefused): Promise<void> {
  for (const list of cutMessages(messages)) await sendOrHalve(list, send, onRefused);
}

async function sendOrHalve(list: readonly OutgoingMessage[], send: Send, onRefused: OnRefused | undefined): Promise<void> {
  try {
    await send(list);
  } catch (error) {
    const isRefused = onRefused !== undefined && isMillraceError(error, 'MILLRACE_TIMESTAMP_REFUSED');
    if (!isRefused && !isMillraceError(error, 'MILLRACE_MESSAGE_TOO_LARGE')) throw error;
    const [message] = list;
    if (list.length > 1) {
      const half = list.length >> 1;
      await sendOrHalve(list.slice(0, half), send, onRefused);
      await sendOrHalve(list.slice(half), send, onRefused);
    } else if (isRefused && message) onRefused(message, error);
    else throw error;
  }
}

function recordBytes({ key, value, headers = [] }: OutgoingMessage): number {
  let bytes = MESSAGE_OVERHEAD + (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, header] of headers) bytes += HEADER_OVERHEAD + Buffer.byteLength(name) + header.length;
  return bytes;
}
