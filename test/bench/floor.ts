/**
 * The floor of the handler benchmarks: the same work by hand on the same bytes. Parse the event's body, base64, JSON.parse, change,
 * JSON.stringify; nothing is stringified for records that are dropped.
 */
import type { KafkaEvent } from '../../functions/runtime/lambda.ts';
import type { Bid } from './bids.ts';

/** Takes an event's text and returns the messages that it would send. */
export type Floor = (body: string) => Buffer[];

/** The bids of an event. */
export function* bidsOf(body: string): Generator<Bid> {
  const event = JSON.parse(body) as KafkaEvent;
  for (const records of Object.values(event.records)) {
    for (const { value } of records) yield JSON.parse(Buffer.from(value ?? '', 'base64').toString()) as Bid;
  }
}

export const floors = {
  passthrough: (body) => {
    const out: Buffer[] = [];
    for (const bid of bidsOf(body)) out.push(Buffer.from(JSON.stringify(bid)));
    return out;
  },
  filter: (body) => {
    const out: Buffer[] = [];
    for (const bid of bidsOf(body)) if (bid.auction % 10 === 0) out.push(Buffer.from(JSON.stringify(bid)));
    return out;
  },
  'keyed count': keyedCount(),
} satisfies Record<string, Floor>;

function keyedCount(): Floor {
  const counts = new Map<number, number>();
  return (body) => {
    const out: Buffer[] = [];
    for (const { bidder } of bidsOf(body)) {
      const count = (counts.get(bidder) ?? 0) + 1;
      counts.set(bidder, count);
      out.push(Buffer.from(JSON.stringify({ key: bidder, count })));
    }
    return out;
  };
}
