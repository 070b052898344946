import diagnostics from 'node:diagnostics_channel';
import type { Worker } from 'node:worker_threads';
import type { WorkerMessage } from '../../local/emulator/worker-bootstrap.ts';
import { draw } from './draw.ts';
import type { FaultLog } from './fault-log.ts';

/** Mean time between two kills, in ms. */
const MEAN_PAUSE_MS = 2500;

/**
 * Ends execution environments of this process in the midst of an invocation, wherever that may be. They are worker threads, so the
 * equivalent of kill -9 is `terminate`: no handler runs, and nothing more is sent. After the message 'calm' they are left alone until 'wild'.
 */
export function killEnvironments(seed: number, log: FaultLog): void {
  const busy = new Set<Worker>();
  diagnostics.subscribe('worker_threads', (message) => watch((message as { readonly worker: Worker }).worker, busy));
  let isCalm = false;
  process.on('message', (message) => (isCalm = message === 'calm'));
  process.channel?.unref();
  let kills = 0;
  const plan = (): void => {
    // Its own process id makes a restarted harness draw anew.
    const pause = -Math.log(1 - draw(seed, 'pause', process.pid, kills)) * MEAN_PAUSE_MS;
    setTimeout(() => {
      const victims = [...busy];
      const victim = victims[Math.floor(draw(seed, 'victim', process.pid, kills) * victims.length)];
      if (victim && !isCalm) {
        log.note('environment killed', `${process.pid}-${kills}`);
        void victim.terminate();
      }
      kills++;
      plan();
    }, pause).unref();
  };
  plan();
}

function watch(worker: Worker, busy: Set<Worker>): void {
  const post = worker.postMessage.bind(worker);
  worker.postMessage = (invocation: unknown) => {
    busy.add(worker);
    post(invocation);
  };
  worker.on('message', ({ kind }: WorkerMessage) => {
    if (kind === 'done') busy.delete(worker);
  });
  worker.once('exit', () => busy.delete(worker));
}
