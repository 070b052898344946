type Listener = () => void;

let count = 0;
let listeners: readonly [first: Listener, second: Listener] | undefined;

/** As the shell reports SIGINT. */
const INTERRUPTED = 130;

/** Takes interrupts from now on; one that comes before anybody listens is kept. */
export function catchInterrupts(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt);
}

/** Calls back for the first and for each further interrupt. */
export function onInterrupt(first: Listener, second: Listener): void {
  if (process.listenerCount('SIGINT', interrupt) === 0) catchInterrupts();
  listeners = [first, second];
  if (count > 0) first();
}

function interrupt(): void {
  count++;
  if (listeners) listeners[count === 1 ? 0 : 1]();
  else if (count > 1) process.exit(INTERRUPTED);
}
