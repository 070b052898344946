import type { PipelinePlan, StagePlan, StartPosition } from '../functions/graph/stage-plan.ts';

export function inputTopics({ input }: StagePlan): readonly string[] {
  return input.kind === 'channel' ? [input.topic] : input.topics;
}

/** Where the stage begins in a partition that its group has no offset of; of a channel nothing may be left out. */
export function startOf({ input }: StagePlan): StartPosition {
  return input.kind === 'channel' ? 'earliest' : input.start;
}

/** Topic for batches that a stage without a fence gives up on. */
export function failureTopic(stage: StagePlan): string {
  return `${stage.name}.on-failure`;
}

/** On-failure topics that a plan needs: a stage with a fence must never give up (protocol section 1). */
export function failureTopics({ stages, settings }: PipelinePlan): readonly string[] {
  return settings.maxRetries < 0 ? [] : stages.filter(({ fenced }) => !fenced).map(failureTopic);
}

/** Topics that belong to users: what sources read and sinks write. */
export function usersTopics({ stages, feeds, sinkTopics }: PipelinePlan): readonly string[] {
  const fed = new Set(feeds.map(({ topic }) => topic));
  const sources = stages.flatMap(({ input }) => (input.kind === 'source' ? input.topics.filter((topic) => !fed.has(topic)) : []));
  return [...new Set([...sources, ...sinkTopics])];
}
