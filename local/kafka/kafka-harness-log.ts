import { createKafkaChannelWriter } from '../../functions/channels/kafka/channel-writer.ts';
import type { KafkaConfig } from '../../functions/channels/kafka/config.ts';
import type { PipelinePlan } from '../../functions/graph/stage-plan.ts';
import { MillraceError } from '../../functions/shared/errors.ts';
import type { HarnessLog, ResultMessage, TopicContents } from '../harness-log.ts';
import { inputTopics, startOf } from '../stage-topics.ts';
import { committedOffsets, groupMembers } from './group-offsets.ts';
import { openKafkaFeedTopic } from './kafka-feed-topic.ts';
import { openKafkaInput, SESSION_MS } from './kafka-input.ts';
import { stopOffsets } from './start-offset.ts';
import { prepareKafkaTopics } from './topics.ts';
import { readKafkaTopic, topicEnds, topicRanges } from './topic-reader.ts';

/** A larger topic is not read for the results of a run. */
const MOST_RESULTS = 100_000;
const MEMBERS_POLL_MS = 500;

export interface KafkaLogOptions {
  readonly config: KafkaConfig;
  readonly plan: PipelinePlan;
  /** As functions get them: `MILLRACE_KAFKA`, and `MILLRACE_KAFKA_CONFIG` if it is set. */
  readonly env: Readonly<Record<string, string>>;
  readonly createUsersTopics: boolean;
  readonly topicPartitions?: Readonly<Record<string, number>>;
  /**
   * Where state is: gone with the run, on this machine alone, or in a store that several runs share. Offsets in Kafka outlive the run, and are
   * shared.
   */
  readonly state: 'memory' | 'local' | 'shared';
  /** Something that people may want to know, and that needs nothing done. */
  readonly onTrouble: (text: string) => void;
}

/** A real Kafka as the log that a pipeline runs on. */
export function kafkaHarnessLog(options: KafkaLogOptions): HarnessLog {
  const { config, env, onTrouble } = options;
  const writer = createKafkaChannelWriter(config);
  return {
    writer,
    env: { ...env, MILLRACE_LOG: 'kafka' },
    isDurable: true,
    async prepare() {
      await prepareKafkaTopics(config, options);
      await checkState(options);
      await checkMembers(options);
    },
    openInput(stage, ends) {
      return openKafkaInput({ config, group: stage.group, topics: inputTopics(stage), start: startOf(stage), ends, onTrouble });
    },
    openFeed: (topic) => openKafkaFeedTopic(config, topic),
    isFull: () => false,
    stopOffsets: (topic, stop) => stopOffsets(config, stop, topic),
    ends: (topic) => topicEnds(config, topic),
    contents: (topic) => contentsOf(config, topic),
    close: () => writer.close(),
  };
}

/** Offsets of a run whose state is gone would let stages go on in the middle, with nothing in their state. */
async function checkState({ config, plan, state, onTrouble }: KafkaLogOptions): Promise<void> {
  const fenced = plan.stages.filter(({ fenced: isFenced }) => isFenced);
  if (state !== 'memory' || fenced.length === 0) return;
  for (const stage of fenced) {
    const topics = inputTopics(stage);
    const committed = await committedOffsets(config, stage.group, topics);
    const ranges = await Promise.all(topics.map(async (topic) => (await topicRanges(config, topic)).map((range) => ({ topic, ...range }))));
    if (ranges.flat().some(({ topic, partition }) => (committed(topic, partition) ?? 0) > 0))
      throw new MillraceError(
        'MILLRACE_DATA_INVALID',
        `Kafka holds offsets of an earlier run (group ${stage.group}), whose state is not here: give the --data folder or the --zookeeper of that ` +
          'run, or another --namespace',
      );
  }
  onTrouble(
    'state is kept in memory and Kafka keeps the offsets: a further run needs another --namespace. With --data or --zookeeper it goes on',
  );
}

/**
 * Another run of the pipeline may share the partitions only if it shares the state. One that was killed counts until its session has ended.
 *
 * @throws MILLRACE_DATA_INVALID they do not share it.
 */
async function checkMembers({ config, plan, state, onTrouble }: KafkaLogOptions): Promise<void> {
  if (state === 'shared') return;
  const groups = plan.stages.filter(({ fenced }) => fenced || plan.feeds.length > 0).map(({ group }) => group);
  const deadline = performance.now() + SESSION_MS + 5 * MEMBERS_POLL_MS;
  for (let isTold = false; ; isTold = true) {
    const counts = await Promise.all(groups.map((group) => groupMembers(config, group)));
    const busy = groups.find((_, i) => (counts[i] ?? 0) > 0);
    if (busy === undefined) return;
    if (performance.now() > deadline) throw sharedWithoutState(busy);
    if (!isTold) onTrouble(`group ${busy} has members: waiting, as they may be of a run that was killed`);
    await new Promise((resolve) => setTimeout(resolve, MEMBERS_POLL_MS));
  }
}

function sharedWithoutState(group: string): MillraceError {
  return new MillraceError(
    'MILLRACE_DATA_INVALID',
    `another run of this pipeline is at work (group ${group} has members), and state on one machine cannot be shared: stop it, let both use ` +
      '--zookeeper, or use another --namespace',
  );
}

async function contentsOf(config: KafkaConfig, topic: string): Promise<TopicContents> {
  const ranges = await topicRanges(config, topic);
  const written = ranges.reduce((sum, { high }) => sum + high, 0);
  const held = ranges.reduce((sum, { high, low }) => sum + high - low, 0);
  if (held > MOST_RESULTS) return { written, left: written, why: 'are too many to be read here', messages: [] };
  const messages: ResultMessage[] = [];
  await readKafkaTopic(config, topic, (message) => messages.push(message));
  return { written, left: written - held, why: 'are no longer held', messages };
}
