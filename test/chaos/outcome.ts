import type { KafkaConfig } from '../../functions/channels/kafka/config.ts';
import type { PipelinePlan, StagePlan } from '../../functions/graph/stage-plan.ts';
import { DEFAULT_RUNTIME_OPTIONS } from '../../functions/runtime/stage-runtime.ts';
import { taskPath } from '../../functions/runtime/open-task-store.ts';
import { fromStateKey } from '../../functions/shared/key.ts';
import type { StateBackend } from '../../functions/state/state-backend.ts';
import { TaskStore } from '../../functions/state/task-store.ts';
import { readKafkaTopic, topicRanges } from '../../local/kafka/topic-reader.ts';
import type { Outcome } from './oracle.ts';
import type { AccountState, RegionState, Result } from './transfers.ts';

/** Reads all that a run has left: state out of the nodes of its tasks, output as a reader of committed messages. */
export async function readOutcome(plan: PipelinePlan, config: KafkaConfig, state: StateBackend, output: string): Promise<Outcome> {
  const partitions = await topicRanges(config, output);
  const messages: Result[][] = partitions.map(() => []);
  await readKafkaTopic(config, output, ({ partition, value }) => {
    messages[partition]?.push(JSON.parse(Buffer.from(value ?? []).toString()) as Result);
  });
  const accounts = await readTable<AccountState>(plan, config, state, 'accounts', 'account');
  const regions = await readTable<RegionState>(plan, config, state, 'regions', 'region');
  const deadLetters = (await topicRanges(config, plan.deadLetterTopic)).reduce((sum, { high }) => sum + high, 0);
  const gaps = accounts.gaps + regions.gaps;
  return { output: messages, accounts: accounts.entries, regions: regions.entries, gaps, deadLetters };
}

interface TableContents<S> {
  readonly entries: (readonly [key: string, state: S])[];
  gaps: number;
}

async function readTable<S>(
  plan: PipelinePlan,
  config: KafkaConfig,
  backend: StateBackend,
  operator: string,
  name: string,
): Promise<TableContents<S>> {
  const stage = plan.stages.find(({ operators }) => operators.some(({ uid }) => uid === operator));
  if (!stage) throw new Error(`the plan has no stage with operator ${operator}`);
  const contents: TableContents<S> = { entries: [], gaps: 0 };
  const topic = inputTopic(stage);
  for (const { partition } of await topicRanges(config, topic)) {
    const store = openStore(plan, backend, taskPath(plan, stage.id, topic, partition));
    const node = await store.readFence();
    const state = node && (await store.load(node, undefined));
    if (!state) continue;
    contents.gaps += node.fence.gaps;
    for (const [key, value] of state.table(`value:${operator}/${name}`).entries)
      contents.entries.push([fromStateKey(key) as string, value as S]);
  }
  return contents;
}

function openStore(plan: PipelinePlan, backend: StateBackend, path: string): TaskStore {
  const { chunkBytes, maxDeltas, minCompactionBytes } = DEFAULT_RUNTIME_OPTIONS;
  const fragments = { maxParallelism: plan.maxParallelism, count: plan.stateFragments };
  return new TaskStore(backend, path, { fragments, chunkBytes, maxDeltas, minCompactionBytes, nonce: () => 'reads-only' });
}

/** The one topic that a stage of this pipeline reads. */
export function inputTopic({ input }: StagePlan): string {
  return input.kind === 'channel' ? input.topic : (input.topics[0] ?? '');
}
