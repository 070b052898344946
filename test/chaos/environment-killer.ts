import diagnostics from 'node:diagnostics_channel';
import type { Worker } from 'node:worker_threads';
import type { WorkerMessage } from '../../local/emulator/worker-bootstrap.ts';
import { draw } from './draw.ts';
import type { FaultLog } from './fault-log.ts';

/** Mean number of invocations between two kills: by time, a slow machine would get through nothing. */
const MEAN_INVOCATIONS = 25;
/** A kill comes so long after an invocation has begun, at most, in ms: before its work, in the midst of it, or in the next one. */
const LONGEST_MS = 100;

/**
 * Ends execution environments of this process in the midst of an invocation, wherever that may be. They are worker threads, so the
 * equivalent of kill -9 is `terminate`: no handler runs, and nothing more is sent. After the message 'calm' they are left alone until 'wild'.
 */
export function killEnvironments(seed: number, log: FaultLog): void {
  const busy = new Set<Worker>();
  let isCalm = false;
  process.on('message', (message) => (isCalm = message === 'calm'));
  process.channel?.unref();
  let invocations = 0;
  const kill = (id: string): void => {
    const victims = [...busy];
    const victim = victims[Math.floor(draw(seed, 'victim', id) * victims.length)];
    if (!victim || isCalm) return;
    log.note('environment killed', id);
    void victim.terminate();
  };
  const onInvocation = (): void => {
    // Its own process id makes a restarted harness draw anew.
    const id = `${process.pid}-${invocations++}`;
    if (draw(seed, 'kill', id) < 1 / MEAN_INVOCATIONS) setTimeout(() => kill(id), draw(seed, 'pause', id) * LONGEST_MS).unref();
  };
  diagnostics.subscribe('worker_threads', (message) => watch((message as { readonly worker: Worker }).worker, busy, onInvocation));
}

function watch(worker: Worker, busy: Set<Worker>, onInvocation: () => void): void {
  const post = worker.postMessage.bind(worker);
  worker.postMessage = (invocation: unknown) => {
    busy.add(worker);
    onInvocation();
    post(invocation);
  };
  worker.on('message', ({ kind }: WorkerMessage) => {
    if (kind === 'done') busy.delete(worker);
  });
  worker.once('exit', () => busy.delete(worker));
}
