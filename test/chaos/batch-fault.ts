import { draw } from './draw.ts';
import type { Fault } from './fault-log.ts';

/** How many of a hundred batches meet each fault. Few enough that the pipeline gets on. */
const PERCENT = {
  'crash before publish': 3,
  'crash after publish': 3,
  'crash after commit': 4,
  'batch delivered twice': 6,
  'batch cut anew': 8,
  'zombie woken': 5,
} as const satisfies Partial<Record<Fault, number>>;

export type BatchFault = keyof typeof PERCENT;

/** What happens to the batch that begins at this offset of an input partition; the same whenever it comes. */
export function faultOf(seed: number, partition: string, offset: number): BatchFault | undefined {
  let left = 100 * draw(seed, partition, offset);
  for (const [fault, percent] of Object.entries(PERCENT)) {
    left -= percent;
    if (left < 0) return fault as BatchFault;
  }
  return undefined;
}
