/** A pipeline that counts by key, on real services: what tests of whole runs share. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { type KafkaConfig, parseKafkaConfig } from '../../functions/channels/kafka/config.ts';
import { readKafkaTopic, topicRanges } from '../../local/kafka/topic-reader.ts';
import { pipelineFile, type Spawned, spawnMillrace } from '../cli/command.ts';

export const KEYS = 50;

/** Two hops: the source's stage, then a count by key. `source` is an expression. */
export function countingPipeline(source: string, out: string, options = '{ parallelism: 2, batchSize: 500 }'): string {
  return pipelineFile(
    'counting',
    `env.fromSource(${source}, { uid: 'numbers' }).keyBy(({ key }) => key).sum('n').uid('sum')
      .sinkTo(kafka.sink({ topic: '${out}', value: json(), key: ({ key }) => key }));`,
    options,
  );
}

/** A source that a feeder reads: `records` records, as an expression for `countingPipeline`. */
export function numbersSource(records: number): string {
  return `(() => { const records = Array.from({ length: ${records} }, (_, i) => ({ key: 'k' + (i % ${KEYS}), n: 1 }));
  return { kind: 'feed', name: 'test', bounded: true, value: json(), async *read() {
    for (let i = 0; i < records.length; i += 1000) yield records.slice(i, i + 1000).map((record) => json().encode(record)); } }; })()`;
}

/** Runs of the pipeline on one Kafka, and what they leave. */
export class CountingRuns {
  readonly config: KafkaConfig;
  private readonly address: string;

  constructor(address: string) {
    this.address = address;
    this.config = parseKafkaConfig({ MILLRACE_KAFKA: address });
  }

  start(dir: string, namespace: string, ...more: string[]): Spawned {
    return spawnMillrace(dir, ['dev', 'p.ts', '--kafka', this.address, '--namespace', namespace, '--determinism-every', '0', ...more]);
  }

  /** Sum of the highest counts of all keys: with at-least-once sinks a count may stand there twice, never a wrong one. */
  async total(topic: string): Promise<number> {
    const highest = new Map<string, number>();
    await readKafkaTopic(this.config, topic, ({ value }) => {
      const { key, n } = JSON.parse(Buffer.from(value ?? []).toString()) as { key: string; n: number };
      highest.set(key, Math.max(n, highest.get(key) ?? 0));
    });
    return [...highest.values()].reduce((sum, n) => sum + n, 0);
  }

  /** Messages that a topic has ever got. */
  async written(topic: string): Promise<number> {
    return (await topicRanges(this.config, topic)).reduce((sum, { high }) => sum + high, 0);
  }

  /** Appends `count` records, each of 1, by turns to all keys. */
  async produce(topic: string, count: number): Promise<void> {
    const producer = new Kafka({ brokers: [this.address], logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    const messages = Array.from({ length: count }, (_, i) => ({ value: JSON.stringify({ key: `k${i % KEYS}`, n: 1 }) }));
    await producer.send({ topic, messages });
    await producer.disconnect();
  }
}

export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await nextTurn();
}
