import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Kafka, logLevel, type Message } from 'kafkajs';
import type { KafkaConfig } from '../../functions/channels/kafka/config.ts';
import type { PipelinePlan } from '../../functions/graph/stage-plan.ts';
import { crc32cOfText } from '../../functions/shared/hash.ts';
import { openZooKeeperStateBackend } from '../../functions/state/zookeeper/state-backend.ts';
import { withKafkaAdmin } from '../../local/kafka/admin.ts';
import { committedOffsets } from '../../local/kafka/group-offsets.ts';
import { topicRanges } from '../../local/kafka/topic-reader.ts';
import { millrace } from '../cli/command.ts';
import { type Cluster, openCluster } from './cluster.ts';
import { draw } from './draw.ts';
import { type Fault, FaultLog } from './fault-log.ts';
import { HarnessProcess } from './harness-process.ts';
import { differences } from './oracle.ts';
import { inputTopic, readOutcome } from './outcome.ts';
import { inflict, planFaults } from './outside-faults.ts';
import { type Transfer, transfers } from './transfers.ts';

export interface ScenarioOptions {
  readonly seed: number;
  readonly records: number;
  /** Gets the logs of the harness. */
  readonly folder: string;
  readonly say: (line: string) => void;
  /** Ends the run at once, as a failed one, with all that it started. */
  readonly signal: AbortSignal;
}

export interface ScenarioResult {
  readonly faults: ReadonlyMap<Fault, number>;
  /** How often the harness has ended by itself, as when Kafka was away for too long. */
  readonly ends: number;
  /** Why the run has failed; empty if it has not. */
  readonly failures: readonly string[];
  readonly seconds: number;
}

const INPUT = 'transfers';
const OUTPUT = 'results';
const PARTITIONS = 4;
/** Records with each round of faults from outside. */
const RECORDS_A_ROUND = 50_000;
/** Of the fewest records, so that each fault inside has batches to happen to. */
const BATCHES = 80;
const POLL_MS = 250;
/** No progress for so long is a failure. Longer than all that may go wrong at once takes to mend. */
const STALL_MS = 120_000;
/** Longest run: for the faults, and for the input at the least that a loaded machine gets through. */
const LONGEST_MS = 900_000;
const FEWEST_A_SECOND = 50;

/** One run: input piece by piece, a fault from outside after each piece, and in the end the oracle's word. */
export async function runScenario({ say: print, ...given }: ScenarioOptions): Promise<ScenarioResult> {
  const { seed, folder } = given;
  mkdirSync(folder, { recursive: true });
  const log = new FaultLog(join(folder, 'faults'));
  const begun = performance.now();
  const elapsed = (): number => (performance.now() - begun) / 1000;
  const say = (line: string): void => print(`seed ${seed}, ${elapsed().toFixed(0)} s: ${line}`);
  const cluster = await openCluster();
  const scenario = new Scenario({ ...given, say }, cluster, log);
  const result = (failures: readonly string[]): ScenarioResult => ({
    ...{ faults: log.counts(), ends: scenario.harness.ends, failures },
    seconds: elapsed(),
  });
  try {
    return result(await scenario.run());
  } catch (error) {
    say((error as Error).message);
    return result([(error as Error).message]);
  } finally {
    await scenario.harness.close();
    await cluster.remove();
  }
}

class Scenario {
  readonly harness: HarnessProcess;
  private readonly options: ScenarioOptions;
  private readonly cluster: Cluster;
  private readonly log: FaultLog;
  private readonly args: readonly string[];
  private readonly stopped: Promise<never>;

  constructor(options: ScenarioOptions, cluster: Cluster, log: FaultLog) {
    const { seed, folder, records, signal } = options;
    this.options = options;
    this.cluster = cluster;
    this.log = log;
    this.stopped = new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('stopped by a signal')));
      const longest = LONGEST_MS + (records / FEWEST_A_SECOND) * 1000;
      setTimeout(() => reject(new Error(`not through after ${longest / 1000} s`)), longest).unref();
    });
    this.stopped.catch(() => undefined); // whoever waits for the run gets it
    const batchSize = Math.max(10, Math.min(250, Math.floor(records / BATCHES)));
    const names = ['--namespace', `chaos-${randomUUID().slice(0, 8)}`, '--input', INPUT, '--output', OUTPUT];
    this.args = [...names, '--batch-size', String(batchSize)];
    this.harness = new HarnessProcess({
      ...{ seed, folder, say: options.say, env: cluster.env },
      faults: join(folder, 'faults'),
      args: [...this.args, ...cluster.args],
    });
  }

  /** What waits for a service that never answers is left behind. */
  run(): Promise<readonly string[]> {
    return Promise.race([this.runAll(), this.harness.broken, this.stopped]);
  }

  private async runAll(): Promise<readonly string[]> {
    const { seed, records, say } = this.options;
    const { kafkaConfig } = this.cluster;
    await createTopics(kafkaConfig);
    const plan = await this.plan();
    this.harness.start();
    const input = [...transfers(seed, records)];
    const faults = planFaults(seed, Math.max(1, Math.round(records / RECORDS_A_ROUND)));
    for (const [i, fault] of faults.entries()) {
      await this.feed(input, i, faults.length + 1);
      const part = draw(seed, 'moment', i);
      await this.until(async () => (await this.written()) >= ((i + part) / (faults.length + 1)) * records, `output of piece ${i}`);
      say(fault);
      await inflict(fault, String(i), { cluster: this.cluster, harness: this.harness, log: this.log });
    }
    await this.feed(input, faults.length, faults.length + 1);
    await this.until(() => this.isThrough(plan), 'the end of the input');
    say('all input is through');
    const ending = await this.harness.stop();
    return [...(ending === undefined ? [] : [ending]), ...(await this.judge(plan, input))];
  }

  private async plan(): Promise<PipelinePlan> {
    const args = [
      'plan',
      'test/chaos/pipeline.ts',
      '--json',
      '--seed',
      String(this.options.seed),
      '--faults',
      join(this.options.folder, 'faults'),
    ];
    const { code, stdout, stderr } = await millrace(process.cwd(), [...args, ...this.args]);
    if (code !== 0) throw new Error(`the pipeline can't be planned: ${stderr}`);
    return JSON.parse(stdout) as PipelinePlan;
  }

  /** Appends one piece of `pieces`. Nothing is broken meanwhile, so nothing is sent twice. */
  private async feed(input: readonly Transfer[], piece: number, pieces: number): Promise<void> {
    const at = (i: number): number => Math.floor((i / pieces) * input.length);
    const producer = new Kafka({ brokers: [...this.cluster.kafkaConfig.brokers], logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    const messages = input.slice(at(piece), at(piece + 1)).map(toMessage);
    for (let i = 0; i < messages.length; i += 1000) await producer.send({ topic: INPUT, messages: messages.slice(i, i + 1000) });
    await producer.disconnect();
  }

  /** Messages of the output, with those of transactions that came to nothing. */
  private async written(): Promise<number> {
    return sumOfEnds(this.cluster.kafkaConfig, OUTPUT);
  }

  /** Stage after stage: once one has done all, nothing but copies comes to the next. */
  private async isThrough({ stages }: PipelinePlan): Promise<boolean> {
    const { kafkaConfig } = this.cluster;
    for (const stage of stages) {
      const topic = inputTopic(stage);
      const committed = await committedOffsets(kafkaConfig, stage.group, [topic]);
      const ranges = await topicRanges(kafkaConfig, topic);
      if (ranges.some(({ partition, high }) => (committed(topic, partition) ?? 0) < high)) return false;
    }
    return true;
  }

  private async until(holds: () => Promise<boolean>, what: string): Promise<void> {
    let [last, since] = [-1, performance.now()];
    while (!(await holds())) {
      const now = await this.written();
      if (now !== last) [last, since] = [now, performance.now()];
      else if (performance.now() - since > STALL_MS) throw new Error(`no progress for ${STALL_MS / 1000} s, waiting for ${what}`);
      await delay(POLL_MS);
    }
  }

  private async judge(plan: PipelinePlan, input: readonly Transfer[]): Promise<string[]> {
    const { kafkaConfig, ensemble } = this.cluster;
    const fed = await sumOfEnds(kafkaConfig, INPUT);
    if (fed !== input.length) return [`this test itself has fed ${fed} records instead of ${input.length}`];
    const state = openZooKeeperStateBackend(ensemble.address);
    try {
      return differences(input, await readOutcome(plan, kafkaConfig, state, OUTPUT));
    } finally {
      await state.close();
    }
  }
}

async function createTopics(config: KafkaConfig): Promise<void> {
  await withKafkaAdmin(config, 'the topics of the run', (admin) =>
    admin.createTopics({
      topics: [INPUT, OUTPUT].map((topic) => ({ topic, numPartitions: PARTITIONS })),
      waitForLeaders: true,
    }),
  );
}

async function sumOfEnds(config: KafkaConfig, topic: string): Promise<number> {
  return (await topicRanges(config, topic)).reduce((sum, { high }) => sum + high, 0);
}

/** An account's transfers stay in one partition, so they have an order. */
function toMessage(transfer: Transfer): Message {
  return { value: JSON.stringify(transfer), partition: crc32cOfText(transfer.account) % PARTITIONS };
}
