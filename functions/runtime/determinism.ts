import type { StagePlan } from '../graph/stage-plan.ts';
import { MillraceError } from '../shared/errors.ts';
import type { Probe } from './stage-engine.ts';

/** One of two runs of a batch from the same state. */
interface ProbedRun {
  readonly probe: Probe | undefined;
}

/**
 * Compares two runs of a batch: what each operator emitted, in the order of the chain, then the state. A replay after a crash publishes
 * copies of what is out already, so it has to be the same, to the byte.
 *
 * @throws MILLRACE_NOT_DETERMINISTIC naming the first operator whose output differs.
 */
export function compareRuns(stage: StagePlan, first: ProbedRun, second: ProbedRun, firstDelta: Uint8Array, secondDelta: Uint8Array): void {
  const a = first.probe ?? new Map<number, number>();
  const b = second.probe ?? new Map<number, number>();
  for (const { node, uid, name } of stage.operators) {
    if (a.get(node) !== b.get(node)) throw differs(`operator '${uid ?? name}' emitted other records`);
  }
  for (const { keyNode, channel } of stage.outputs) {
    if (keyNode !== null && a.get(keyNode) !== b.get(keyNode)) throw differs(`the keyBy before '${channel}' returned other keys`);
  }
  if (Buffer.compare(firstDelta, secondDelta) !== 0) {
    const stateful = stage.operators.filter(({ keyed, states }) => keyed || states.length > 0).map(({ uid, name }) => `'${uid ?? name}'`);
    throw differs(`the state of ${stateful.join(' or ')} came out different`);
  }
}

function differs(what: string): MillraceError {
  return new MillraceError(
    'MILLRACE_NOT_DETERMINISTIC',
    `the same batch was run twice from the same state, and ${what}. A pipeline's functions may depend only on the record and the state: ` +
      'take time from ctx.timestamp, randomness from ctx.random() and ids from ctx.uuid(), and keep nothing in variables between records',
  );
}
