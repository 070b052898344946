import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { addToSessions, type Session } from '../../../../../functions/time/windows/session-merge.ts';

const window = fc.record({ start: fc.integer({ min: 0, max: 60 }), length: fc.integer({ min: 1, max: 10 }) });

/** Windows as covered half-ms, which are the same whatever the order: touching windows meet in a bound. */
function covered(windows: readonly { readonly start: number; readonly length: number }[]): (readonly [number, number])[] {
  const points = new Set<number>();
  for (const { start, length } of windows) for (let point = start; point <= start + length; point += 0.5) points.add(point);
  const sorted = [...points].sort((a, b) => a - b);
  const groups: [number, number][] = [];
  for (const point of sorted) {
    const last = groups.at(-1);
    if (last && point - last[1] <= 0.5) last[1] = point;
    else groups.push([point, point]);
  }
  return groups;
}

test('sessions are what their windows cover, in any order of arrival', () => {
  fc.assert(
    fc.property(fc.array(window, { maxLength: 20 }), (windows) => {
      let open: readonly Session[] = [];
      for (const { start, length } of windows) {
        const before = open;
        const { sessions, session, merged } = addToSessions(open, start, start + length);
        open = sessions;

        expect(session.start <= start && session.end >= start + length).toBe(true);
        expect(sessions).toContain(session);
        expect(merged.every((one) => before.includes(one) && !sessions.includes(one))).toBe(true);
        if (merged[0]) expect(session.home).toBe(merged[0].home);
      }

      expect(open.map(({ start, end }) => [start, end])).toEqual(covered(windows));
      expect(new Set(open.map(({ home }) => home)).size).toBe(open.length);
    }),
    { numRuns: 1000 },
  );
});

test('an element inside of a session changes nothing', () => {
  const { sessions } = addToSessions([], 10, 30);

  const change = addToSessions(sessions, 12, 20);

  expect(change.sessions).toBe(sessions);
  expect(change.merged).toEqual([]);
});
