import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Everything that a run does to the pipeline; each has to happen at least once. */
export const FAULTS = [
  'environment killed',
  'crash before publish',
  'crash after publish',
  'crash after commit',
  'batch delivered twice',
  'batch cut anew',
  'zombie woken',
  'harness killed',
  'Kafka killed',
  'Kafka connections cut',
  'ZooKeeper leader killed',
  'ZooKeeper connections cut',
  'ZooKeeper session expired',
] as const;

export type Fault = (typeof FAULTS)[number];

/** Counts faults across processes and threads that die of them: one empty file each, written before the fault happens. */
export class FaultLog {
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  /** False if this very fault has happened before: a batch that crashed its environment must get through the next time. */
  note(fault: Fault, id: string): boolean {
    try {
      writeFileSync(join(this.folder, `${fault}~${id.replaceAll('/', '_')}`), '', { flag: 'wx' });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    }
  }

  counts(): ReadonlyMap<Fault, number> {
    const counts = new Map<Fault, number>(FAULTS.map((fault) => [fault, 0]));
    for (const name of readdirSync(this.folder)) {
      const fault = name.slice(0, name.indexOf('~')) as Fault;
      counts.set(fault, (counts.get(fault) ?? 0) + 1);
    }
    return counts;
  }
}
