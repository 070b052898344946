import { WindowTable } from './window-table.ts';
import type { Trigger } from './trigger.ts';
import type { WindowScope } from './window-scope.ts';

/** Fires at each `count`-th element of a window. What merged windows have counted adds up, and is looked at with the next element. */
export function countTrigger(count: number, scope: WindowScope): Trigger {
  const counts = new WindowTable(scope, scope.operator, '$trigger-count');
  const read = (entry: string): number => (counts.get(entry) as number | undefined) ?? 0;
  return {
    onElement: ({ text }) => {
      const entry = counts.entry(text);
      const counted = read(entry) + 1;
      if (counted < count) {
        counts.set(entry, counted);
        return 'CONTINUE';
      }
      counts.delete(entry);
      return 'FIRE';
    },
    onTime: () => 'CONTINUE',
    onMerge: ({ text }, merged) => {
      const sum = merged.reduce((total, window) => total + read(counts.entry(window.text)), 0);
      if (sum > 0) counts.set(counts.entry(text), sum);
    },
    clear: ({ text }) => {
      counts.delete(counts.entry(text));
    },
  };
}
