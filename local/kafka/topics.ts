import type { Admin, ConfigResourceTypes } from 'kafkajs';
import { refusalOf } from '../../functions/channels/kafka/broker-refusal.ts';
import type { KafkaConfig } from '../../functions/channels/kafka/config.ts';
import type { PipelinePlan } from '../../functions/graph/stage-plan.ts';
import { MillraceError } from '../../functions/shared/errors.ts';
import { failureTopics, usersTopics } from '../stage-topics.ts';
import { untilThere, withKafkaAdmin } from './admin.ts';

/** Frames hold up to 1 MiB; the batch around one is larger. */
const FRAME_LIMIT_BYTES = 1_048_576 + 65_536;
/** Messages of sources, which Kafka takes by default up to 1 MiB, with the headers that tell where they failed. */
const FAILURE_LIMIT_BYTES = 2_097_152;
const WEEK_MS = 7 * 24 * 60 * 60 * 1000;
const MAX_REPLICATION = 3;
const DEFAULT_USER_PARTITIONS = 4;
/** Kafka's number for topics; kafkajs's own name of it is out of reach of an ES module. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- only its type can be imported
const TOPIC_RESOURCE = 2 as ConfigResourceTypes.TOPIC;

export interface PrepareTopicsOptions {
  readonly plan: PipelinePlan;
  /** Makes users' topics that are missing, too. */
  readonly createUsersTopics: boolean;
  /** Partitions of users' topics that are made, by name. @default 4 each */
  readonly topicPartitions?: Readonly<Record<string, number>>;
}

interface TopicWanted {
  readonly topic: string;
  readonly partitions: number;
  readonly maxMessageBytes?: number;
}

/**
 * Makes the topics that are a pipeline's own, or checks them where they exist: partitions, and that the broker sets their times, which
 * processing time, and the recognition of a topic that was made anew, rest on. Functions make none.
 *
 * @throws MILLRACE_TOPIC_MISMATCH, MILLRACE_TOPIC_MISSING a user's topic, and as `withKafkaAdmin`
 */
export async function prepareKafkaTopics(config: KafkaConfig, options: PrepareTopicsOptions): Promise<void> {
  const own = ownTopics(options.plan);
  const users = usersTopics(options.plan);
  const timestampTypes = timestampTypesOf(options.plan);
  await withKafkaAdmin(config, [...own.map(({ topic }) => topic), ...users].join(', '), async (admin) => {
    const existing = new Set(await admin.listTopics());
    const missing = users.filter((topic) => !existing.has(topic));
    await checkVisible(admin, missing);
    if (missing.length > 0 && !options.createUsersTopics) throw missingTopics(missing, existing);
    await checkTopics(
      admin,
      own.filter(({ topic }) => existing.has(topic)),
    );
    for (const type of [undefined, ...Object.values(TIMESTAMP_TYPES)]) {
      const topics = missing.filter((topic) => timestampTypes.get(topic) === type);
      const wanted = topics.map((topic) => ({ topic, partitions: options.topicPartitions?.[topic] ?? DEFAULT_USER_PARTITIONS }));
      await createTopics(admin, wanted, type === undefined ? [] : [{ name: TIMESTAMP_TYPE, value: type }]);
    }
    await checkTimestamps(
      admin,
      [...timestampTypes].filter(([topic]) => existing.has(topic)),
    );
    await createTopics(
      admin,
      own.filter(({ topic }) => !existing.has(topic)),
      OWN_CONFIG,
    );
    await untilThere(admin, [...own.map(({ topic }) => topic), ...users]);
  });
}

/** The list of all topics leaves out those that one may not see; asked for one by name, a broker says so. */
async function checkVisible(admin: Admin, topics: readonly string[]): Promise<void> {
  for (const topic of topics) {
    try {
      await admin.fetchTopicMetadata({ topics: [topic] });
    } catch (error) {
      const refusal = refusalOf(error) ?? refusalOf((error as Error).cause);
      if (refusal === 'TOPIC_AUTHORIZATION_FAILED')
        throw new MillraceError(
          'MILLRACE_NOT_AUTHORIZED',
          `this user may not see topic ${topic}: have DESCRIBE on it granted, with READ or WRITE`,
          {
            cause: error,
          },
        );
      if (refusal !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error;
    }
  }
}

const TIMESTAMP_TYPE = 'message.timestamp.type';
/** What the topic must have for what a sink says about timestamps. */
const TIMESTAMP_TYPES = { 'event-time': 'CreateTime', 'log-append': 'LogAppendTime' } as const;

/** By topic. @throws MILLRACE_OPTION_INVALID two stages write to a topic with different timestamps. */
function timestampTypesOf({ stages }: PipelinePlan): ReadonlyMap<string, string> {
  const types = new Map<string, string>();
  for (const [topic, { timestamps }] of stages.flatMap(({ produces }) => Object.entries(produces))) {
    if (timestamps === undefined) continue;
    const type = TIMESTAMP_TYPES[timestamps];
    if ((types.get(topic) ?? type) !== type)
      throw new MillraceError(
        'MILLRACE_OPTION_INVALID',
        `sinks write to topic ${topic} with different timestamps: give all of them the same`,
      );
    types.set(topic, type);
  }
  return types;
}

async function checkTimestamps(admin: Admin, wanted: readonly (readonly [topic: string, type: string])[]): Promise<void> {
  if (wanted.length === 0) return;
  const resources = wanted.map(([topic]) => ({ type: TOPIC_RESOURCE, name: topic, configNames: [TIMESTAMP_TYPE] }));
  const described = await admin.describeConfigs({ includeSynonyms: false, resources });
  for (const { resourceName, configEntries } of described.resources) {
    const found = configEntries.find(({ configName }) => configName === TIMESTAMP_TYPE)?.configValue;
    const type = wanted.find(([topic]) => topic === resourceName)?.[1];
    if (found === type) continue;
    throw mismatch(
      `topic ${resourceName} has ${TIMESTAMP_TYPE}=${found ?? 'unknown'}, and the timestamps of its sink need ${type ?? ''}`,
      `change timestamps of the sink, or run ${configCommand(resourceName, TIMESTAMP_TYPE, type ?? '')}`,
    );
  }
}

function configCommand(topic: string, name: string, value: string): string {
  return `kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --add-config ${name}=${value}`;
}

function ownTopics(plan: PipelinePlan): readonly TopicWanted[] {
  return [
    ...plan.feeds.map(({ topic, partitions }) => ({ topic, partitions })),
    ...plan.channels.map(({ topic, partitions }) => ({ topic, partitions, maxMessageBytes: FRAME_LIMIT_BYTES })),
    ...(plan.collects ?? []).map(({ topic }) => ({ topic, partitions: 1, maxMessageBytes: FRAME_LIMIT_BYTES })),
    { topic: plan.deadLetterTopic, partitions: 1, maxMessageBytes: FRAME_LIMIT_BYTES },
    ...failureTopics(plan).map((topic) => ({ topic, partitions: 1, maxMessageBytes: FAILURE_LIMIT_BYTES })),
  ];
}

const OWN_CONFIG = [
  { name: 'message.timestamp.type', value: 'LogAppendTime' },
  { name: 'cleanup.policy', value: 'delete' },
  { name: 'retention.ms', value: String(WEEK_MS) },
];

async function createTopics(
  admin: Admin,
  wanted: readonly TopicWanted[],
  entries: readonly { name: string; value: string }[],
): Promise<void> {
  if (wanted.length === 0) return;
  const { brokers } = await admin.describeCluster();
  const replicationFactor = Math.min(MAX_REPLICATION, brokers.length);
  // With fewer, one broker that is away would stop the topic.
  const safety = replicationFactor === MAX_REPLICATION && entries.length > 0 ? [{ name: 'min.insync.replicas', value: '2' }] : [];
  await admin.createTopics({
    waitForLeaders: false,
    topics: wanted.map(({ topic, partitions, maxMessageBytes }) => ({
      topic,
      numPartitions: partitions,
      replicationFactor,
      configEntries: [
        ...entries,
        ...safety,
        ...(maxMessageBytes === undefined ? [] : [{ name: 'max.message.bytes', value: String(maxMessageBytes) }]),
      ],
    })),
  });
}

async function checkTopics(admin: Admin, own: readonly TopicWanted[]): Promise<void> {
  if (own.length === 0) return;
  const { topics } = await admin.fetchTopicMetadata({ topics: own.map(({ topic }) => topic) });
  for (const { topic, partitions } of own) {
    const found = topics.find(({ name }) => name === topic)?.partitions.length ?? 0;
    if (found !== partitions)
      throw mismatch(
        `topic ${topic} has ${found} partitions, the plan needs ${partitions}`,
        'keep the parallelism, or use another --namespace',
      );
  }
  const names = ['message.timestamp.type', 'cleanup.policy'];
  const resources = own.map(({ topic }) => ({ type: TOPIC_RESOURCE, name: topic, configNames: names }));
  const described = await admin.describeConfigs({ includeSynonyms: false, resources });
  for (const { resourceName, configEntries } of described.resources) {
    const valueOf = (name: string): string | undefined => configEntries.find(({ configName }) => configName === name)?.configValue;
    for (const { name, value } of OWN_CONFIG.filter((entry) => names.includes(entry.name))) {
      if (valueOf(name) === value) continue;
      const remedy = `run ${configCommand(resourceName, name, value)}`;
      throw mismatch(`topic ${resourceName} has ${name}=${valueOf(name) ?? 'unknown'}, Millrace needs ${value}`, remedy);
    }
  }
}

function mismatch(what: string, remedy: string): MillraceError {
  return new MillraceError('MILLRACE_TOPIC_MISMATCH', `${what}; ${remedy}`);
}

function missingTopics(missing: readonly string[], existing: ReadonlySet<string>): MillraceError {
  const there = [...existing].filter((topic) => !topic.startsWith('__')).sort();
  const listed = there.length > 20 ? `${there.slice(0, 20).join(', ')}, …` : there.join(', ') || 'none';
  return new MillraceError(
    'MILLRACE_TOPIC_MISSING',
    `Kafka has no topic ${missing.join(', ')}; there are ${listed}. Create what is missing, or let --create-topics do it`,
  );
}
