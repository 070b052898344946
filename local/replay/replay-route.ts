import type { PipelinePlan, StagePlan } from '../../functions/graph/stage-plan.ts';
import { parseOrigin } from '../../functions/shared/origin.ts';
import type { DeadLetterView } from '../inspect/dead-letter.ts';
import { inputTopics } from '../stage-topics.ts';

/** The task that a dead letter is of. */
export interface LetterTask {
  readonly stage: StagePlan;
  readonly topic: string;
  readonly partition: number;
}

/**
 * How a dead letter gets back to its task. `channel`: in a frame of the task's channel. `topic`: as a message of the source's topic, for a
 * task with a fence must see everything in the order of its log. `here`: its stage has no fence, so whoever replays can run it.
 */
export type ReplayRoute = (LetterTask & { readonly by: 'channel' | 'topic' | 'here' }) | { readonly by: 'none'; readonly why: string };

/** By what the letter says of itself, and the plan. */
export function routeOf(letter: DeadLetterView, plan: PipelinePlan): ReplayRoute {
  if (letter.kind === 'timer') return none('a timer that failed is gone, and what it stood for may have changed since');
  if (letter.kind === 'output')
    return none(
      `its record is applied, and only topic ${letter.refusedBy ?? ''} has refused what a sink made of it: write the payload there by other means`,
    );
  const task = /^(.+)\/([^/]+)-(\d+)@(\d+)$/.exec(letter.task);
  if (!parseOrigin(letter.origin) || !task) return none('it is no dead letter of Millrace');
  if (letter.truncatedFrom !== undefined || letter.value === null)
    return none(`its payload was cut from ${letter.truncatedFrom ?? 0} bytes, as its topic takes no more`);
  const [, , topic = '', partition, generation] = task;
  if (Number(generation) !== plan.generation)
    return none(`it is of generation ${generation ?? ''}, and the pipeline of generation ${plan.generation}`);
  const stage = plan.stages.find(({ id }) => id === letter.stage);
  if (!stage || !inputTopics(stage).includes(topic)) return none(`no stage ${letter.stage} reads topic ${topic} in this pipeline any more`);
  const by = stage.input.kind === 'channel' ? 'channel' : stage.fenced ? 'topic' : 'here';
  if (by === 'topic' && stage.input.kind === 'source' && stage.input.stop !== undefined)
    return none(`topic ${topic} is read only up to the end that was fixed at the first start`);
  if ((letter.kind === 'record') !== (by === 'channel')) return none(`stage ${stage.id} reads another kind of input now`);
  return { by, stage, topic, partition: Number(partition) };
}

function none(why: string): ReplayRoute {
  return { by: 'none', why };
}
