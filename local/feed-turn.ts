import { setTimeout as delay } from 'node:timers/promises';
import type { Coordination } from '../functions/coordination/coordination.ts';
import { isMillraceError } from '../functions/shared/errors.ts';

/** The right to feed a source, as long as `lost` has not been aborted. */
export interface FeedTurn {
  readonly lost: AbortSignal;
}

export interface FeedTurnOptions {
  readonly coordination: Coordination;
  /** Of the node that stands for the turn. */
  readonly path: string;
  /** Of this run; no other has it. */
  readonly holder: string;
  /** Called once if another run has the turn. */
  readonly onWait: () => void;
  readonly signal: AbortSignal;
}

/** How often a turn that somebody has is looked at without being told, in ms. */
const LOOK_MS = 1000;

/**
 * Waits until no other run feeds this source. Two feeders would write every record twice, as each counts on being its topic's only writer. The
 * turn is an ephemeral node: it goes with the session of a run that died. It is lost as soon as the connection is, for the session may be
 * over by then; whoever still lives takes it again.
 *
 * @returns undefined if the signal aborts first.
 */
export async function takeFeedTurn(options: FeedTurnOptions): Promise<FeedTurn | undefined> {
  const { coordination, signal, onWait } = options;
  for (let isTold = false; !signal.aborted;) {
    // Listened for first: a session that ends right after the node was made has taken it along.
    const lost = new AbortController();
    const stopListening = coordination.onSession((event) => {
      if (event === 'connected') return;
      lost.abort();
      stopListening();
    });
    if ((await isOurs(options)) && !lost.signal.aborted) return { lost: lost.signal };
    stopListening();
    if (!isTold && !lost.signal.aborted) onWait();
    isTold ||= !lost.signal.aborted;
    await change(options);
  }
  return undefined;
}

async function isOurs({ coordination, path, holder }: FeedTurnOptions): Promise<boolean> {
  try {
    await coordination.create(path, Buffer.from(holder), { ephemeral: true });
    return true;
  } catch (error) {
    if (isMillraceError(error, 'MILLRACE_NODE_EXISTS')) return (await readHolder(coordination, path)) === holder;
    if (isMillraceError(error) && error.retry === 'backoff') return false; // whether it was made shows the next look
    throw error;
  }
}

async function readHolder(coordination: Coordination, path: string): Promise<string | undefined> {
  try {
    const node = await coordination.read(path);
    return node && Buffer.from(node.data).toString();
  } catch (error) {
    if (isMillraceError(error) && error.retry === 'backoff') return undefined;
    throw error;
  }
}

/** Resolves when it is worth another look. */
async function change({ signal }: FeedTurnOptions): Promise<void> {
  await delay(LOOK_MS, undefined, { signal }).catch(() => undefined);
}
