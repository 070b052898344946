import { bidsOf, type Floor } from './floor.ts';

/** Counts by auction in tumbling windows, in a Map a window; what the watermark passes is sent. */
export function tumblingByHand(sizeMs: number, outOfOrderMs: number): Floor {
  const windows = new Map<number, Map<number, number>>();
  let latest = -Infinity;
  return (body) => {
    const out: Buffer[] = [];
    for (const { auction, dateTime } of bidsOf(body)) {
      const start = dateTime - (dateTime % sizeMs);
      let counts = windows.get(start);
      if (!counts) windows.set(start, (counts = new Map()));
      counts.set(auction, (counts.get(auction) ?? 0) + 1);
      if (dateTime <= latest) continue;
      latest = dateTime;
      for (const [from, due] of windows) {
        if (from + sizeMs > latest - outOfOrderMs) continue;
        windows.delete(from);
        for (const [key, count] of due) out.push(Buffer.from(JSON.stringify({ key, window: { start: from, end: from + sizeMs }, count })));
      }
    }
    return out;
  };
}

/** Counts by bidder in sessions that never end here: a count and two bounds a key. */
export function sessionsByHand(gapMs: number): Floor {
  const open = new Map<number, { start: number; end: number; count: number }>();
  return (body) => {
    for (const { bidder, dateTime } of bidsOf(body)) {
      const session = open.get(bidder);
      if (session && dateTime <= session.end && dateTime + gapMs >= session.start) {
        session.start = Math.min(session.start, dateTime);
        session.end = Math.max(session.end, dateTime + gapMs);
        session.count++;
      } else open.set(bidder, { start: dateTime, end: dateTime + gapMs, count: 1 });
    }
    return [];
  };
}
