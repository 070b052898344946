import { setTimeout as delay } from 'node:timers/promises';
import type { PipelinePlan, StagePlan, StopPosition } from '../functions/graph/stage-plan.ts';
import { isMillraceError, MillraceError } from '../functions/shared/errors.ts';
import type { StateBackend } from '../functions/state/state-backend.ts';
import type { InputEnds } from './emulator/mapping-input.ts';

const RETRY_MS = 200;
const MAX_TRIES = 100;

export interface InputEndsOptions {
  readonly plan: Pick<PipelinePlan, 'namespace' | 'pipeline'>;
  readonly state: StateBackend;
  /** Offsets that a position stands for in a topic now, by partition. */
  readonly stopOffsets: (topic: string, stop: StopPosition) => Promise<readonly number[]>;
}

/**
 * Where the topics of a bounded source end. It is written once, before the first start, beside the state: whoever starts later, or at the same
 * time, reads up to the same offsets.
 *
 * @returns undefined for a stage whose input has no such end.
 */
export async function fixInputEnds({ input }: StagePlan, options: InputEndsOptions): Promise<InputEnds | undefined> {
  if (input.kind !== 'source' || input.stop === undefined) return undefined;
  const { stop } = input;
  const { plan, state, stopOffsets } = options;
  const path = `/millrace/${plan.namespace}/${plan.pipeline}/ends/${input.uid}`;
  for (let tries = 1; ; tries++) {
    try {
      const node = await state.read(path);
      if (node) return JSON.parse(Buffer.from(node.data).toString()) as InputEnds;
      const ends = await Promise.all(input.topics.map(async (topic) => [topic, await stopOffsets(topic, stop)] as const));
      await state.multi([{ op: 'create', path, data: Buffer.from(JSON.stringify(Object.fromEntries(ends))) }]);
    } catch (error) {
      // Another run has written it, or may have; what is read may be old for a while.
      const isOpen = isMillraceError(error) && (error.retry === 'backoff' || error.code === 'MILLRACE_NODE_EXISTS');
      if (!isOpen || tries === MAX_TRIES) throw error;
      await delay(RETRY_MS);
    }
    if (tries === MAX_TRIES)
      throw new MillraceError(
        'MILLRACE_OUTCOME_UNKNOWN',
        `where source ${input.uid} ends was written at ${path}, and can't be read there; start again`,
      );
  }
}
