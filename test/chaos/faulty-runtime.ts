/**
 * What the bundles of a chaos run have for `millrace/runtime`: the real one, with faults at the door of its handlers and at its ports.
 * Nothing of the runtime itself is changed.
 */
import { createStageHandler as createRealHandler, type StageAdapters, type StageHandler } from '../../functions/runtime/index.ts';
import type { PipelinePlan } from '../../functions/graph/stage-plan.ts';
import type { Coordination } from '../../functions/coordination/coordination.ts';
import type { StateBackend } from '../../functions/state/state-backend.ts';
import { randomUUID } from 'node:crypto';
import { FaultLog } from './fault-log.ts';
import { FaultyHandler } from './faulty-handler.ts';
import { type Tripwire, wiredChannels, wiredState, wiredTransactions } from './tripwire.ts';

export * from '../../functions/runtime/index.ts';

/** As the real one. Seed and folder of the faults come as parameters of the pipeline: nothing else of the run reaches an environment. */
export function createStageHandler(plan: PipelinePlan, stageId: string, adapters: StageAdapters): StageHandler {
  const log = new FaultLog(plan.params['faults'] ?? '');
  const handler = new FaultyHandler({
    log,
    seed: Number(plan.params['seed']),
    open: (wire) => createRealHandler(plan, stageId, wiredAdapters(adapters, wire, log)),
    // Ends a worker thread at once: what it has not sent is never sent.
    crash: () => process.exit(1),
  });
  return (event, context) => handler.handle(event, context);
}

function wiredAdapters(adapters: StageAdapters, wire: Tripwire, log: FaultLog): StageAdapters {
  return {
    ...adapters,
    log: mapOpeners(adapters.log, (channels) => wiredChannels(channels, wire)),
    transactions: mapOpeners(adapters.transactions, (transactions) => wiredTransactions(transactions, wire)),
    state: mapOpeners(adapters.state, (state) => {
      noteExpiry(state, log);
      return wiredState(state, wire);
    }),
  };
}

type Openers<T> = Readonly<Record<string, (...given: Parameters<StageAdapters['log'][string]>) => T | Promise<T>>>;

function mapOpeners<T>(openers: Openers<T>, change: (opened: T) => T): Openers<T> {
  return Object.fromEntries(Object.entries(openers).map(([name, open]) => [name, async (...given) => change(await open(...given))]));
}

/** The state store in ZooKeeper is the whole client of it, which is told by the ensemble when its session has expired. */
function noteExpiry(state: StateBackend, log: FaultLog): void {
  if (!('onSession' in state)) return;
  (state as Coordination).onSession((event) => {
    if (event === 'lost') log.note('ZooKeeper session expired', randomUUID());
  });
}
