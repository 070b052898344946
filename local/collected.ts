import type { OutgoingMessage } from '../functions/channels/channel-writer.ts';
import { decodeValue } from '../functions/codec/value.ts';
import { ORIGIN_HEADER } from '../functions/shared/origin.ts';

/** The records that were collected in a topic, each once: a batch that came again has written copies, with the same origins. */
export function readCollected(messages: Iterable<Pick<OutgoingMessage, 'value' | 'headers'>>): unknown[] {
  const seen = new Set<string>();
  const records: unknown[] = [];
  for (const { value, headers = [] } of messages) {
    const origin = Buffer.from(headers.find(([name]) => name === ORIGIN_HEADER)?.[1] ?? []).toString();
    if (value === null || seen.has(origin)) continue;
    seen.add(origin);
    records.push(decodeValue(value));
  }
  return records;
}
