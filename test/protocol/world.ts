import type { LogicalGraph } from '../../functions/graph/logical-graph.ts';
import { planPipeline } from '../../functions/graph/plan.ts';
import type { PipelinePlan, StagePlan } from '../../functions/graph/stage-plan.ts';
import { tickFrame } from '../../functions/codec/frame-writer.ts';
import { taskPath } from '../../functions/runtime/open-task-store.ts';
import { spawnClocks, spawnIdleClocks, spawnOldClocks } from './clocks.ts';
import { type WorldConfig, type WorldSwitches, ZOMBIES } from './config.ts';
import { StageFunction } from './environments.ts';
import { createInput, type InputMessage, type InputPartition } from './input.ts';
import { Mapping } from './mapping.ts';
import { createPipeline, type Failures, hash, SINK_TOPIC } from './pipeline.ts';
import { spawnReplay } from './replays.ts';
import type { RuntimeModule } from './runtime-module.ts';
import { SimLog } from './sim-log.ts';
import { SimState } from './sim-state.ts';
import { SimTransactions } from './sim-transactions.ts';
import { Simulator, type SimulatorOptions } from './simulator.ts';

export const GENERATION = 1;
const SINK_PARTITIONS = 2;

/** A pipeline in the midst of its services, mappings, producers and clocks: the real runtime, all around it simulated. */
export class World {
  readonly config: WorldConfig;
  readonly switches: WorldSwitches;
  readonly simulator: Simulator;
  readonly state: SimState;
  readonly log: SimLog;
  readonly transactions: SimTransactions;
  readonly plan: PipelinePlan;
  readonly graph: LogicalGraph;
  readonly input: readonly InputPartition[];
  readonly functions = new Map<string, StageFunction>();
  readonly mappings: Mapping[] = [];
  /** Records that a mapping has skipped, by source partition: it began again behind them. */
  readonly skipped = new Map<string, readonly string[]>();
  /** Source partitions in which functions have told of gaps. */
  readonly gaps = new Set<string>();
  /** What the clock that first saw the end found wrong at that moment. */
  doneFindings: readonly string[] | undefined;
  /** All that failed has been mended, and every dead letter has been replayed since. */
  hasReplayed = false;
  /** What no fault explains, outside of functions. */
  readonly unexpected: string[] = [];
  /** The cause of the failures that can be mended has been. */
  private mended = false;
  private readonly hiccupsSeen = new Set<string>();

  constructor(
    config: WorldConfig,
    runtime: RuntimeModule,
    options: Omit<SimulatorOptions, 'seed' | 'faults'>,
    switches: WorldSwitches = {},
  ) {
    this.config = config;
    this.switches = switches;
    this.simulator = new Simulator({
      ...options,
      seed: config.seed,
      faults: config.faults,
      without: config.mends && !config.journal ? ZOMBIES : [],
    });
    const pipeline = createPipeline(config, this.failures());
    this.graph = pipeline.build();
    this.plan = withFrameBytes(planPipeline(this.graph, { namespace: 'sim', generation: GENERATION }), config.frameBytes);
    this.state = new SimState(this.simulator);
    this.log = new SimLog(this.simulator, (topic) =>
      topic === SINK_TOPIC ? 'sink' : topic === this.plan.deadLetterTopic ? 'dead letter' : 'frame',
    );
    this.input = createInput(config);
    this.createTopics();
    this.transactions = new SimTransactions(this.simulator, this.log);
    const onLog = (line: string): void => {
      const { message, topic, partition } = JSON.parse(line) as Readonly<Record<string, unknown>>;
      if (message === 'gap in the input') this.gaps.add(`${String(topic)}-${String(partition)}`);
    };
    const services = { simulator: this.simulator, state: this.state, log: this.log, transactions: this.transactions, onLog };
    for (const stage of this.plan.stages)
      this.functions.set(stage.id, new StageFunction(runtime, this.plan, stage, this.graph, services, config));
  }

  /** Runs the schedule to its end; `check` is asked when a clock says that all is done. */
  async run(check: () => Promise<readonly string[]>): Promise<void> {
    for (const stage of this.plan.stages) this.spawnMappings(stage);
    for (const partition of this.input) this.spawnProducer(partition);
    this.spawnMender();
    if (this.config.ticks) this.spawnTickers();
    if (this.config.idle !== 'never') spawnIdleClocks(this);
    if (this.config.bounded) {
      spawnClocks(this, check);
      spawnOldClocks(this);
    }
    if (this.config.replay && !this.config.bounded && this.config.topology !== 'direct') this.spawnReplays('early replay', 300);
    await this.simulator.run();
    if (this.config.replay) await this.replayAll();
    if (this.config.ticks && !this.config.bounded) await this.finalTick();
  }

  /** All that failed is mended, with new code from a clean cut on; then every dead letter is replayed, at last by a command that nothing happens to. */
  private async replayAll(): Promise<void> {
    this.state.cut();
    this.hasReplayed = true;
    this.spawnReplays('replay', 20);
    await this.simulator.run();
    this.simulator.calm();
    spawnReplay(this, 'last replay', 0, (letters) => letters.reverse());
    await this.simulator.run();
  }

  /** Two commands beside one another, each in an order of its own. */
  private spawnReplays(name: string, within: number): void {
    const { simulator } = this;
    for (const nth of [1, 2]) {
      spawnReplay(this, `${name} ${nth}`, simulator.pick(within, 0.3), (letters) =>
        letters
          .map((letter) => [simulator.pick(1000, 0.3), letter] as const)
          .sort(([a], [b]) => a - b)
          .map(([, letter]) => letter),
      );
    }
  }

  topicOf(stage: StagePlan): string {
    return stage.input.kind === 'channel' ? stage.input.topic : (stage.input.topics[0] ?? '');
  }

  partitionsOf(stage: StagePlan): number {
    return this.log.partitions(this.topicOf(stage)).length;
  }

  inputOf(topic: string, partition: number): InputPartition | undefined {
    return this.input.find((one) => one.topic === topic && one.partition === partition);
  }

  fencePath(stage: StagePlan, partition: number): string {
    return taskPath(this.plan, stage.id, this.topicOf(stage), partition);
  }

  functionOf(stage: StagePlan): StageFunction {
    const found = this.functions.get(stage.id);
    if (!found) throw new Error(`no function for ${stage.id}`);
    return found;
  }

  mappingOf(stage: StagePlan, partition: number): Mapping {
    const found = this.mappings.find((mapping) => mapping.stage === stage && mapping.partitions.includes(partition));
    if (!found) throw new Error(`no mapping for ${stage.id}-${partition}`);
    return found;
  }

  /** The stage that runs operator B. */
  stageWith(uid: string): StagePlan {
    const found = this.plan.stages.find(({ operators }) => operators.some((operator) => operator.uid === uid));
    if (!found) throw new Error(`no stage runs ${uid}`);
    return found;
  }

  private createTopics(): void {
    for (const { topic } of this.input) this.log.createTopic(topic, this.config.partitions);
    for (const { topic, partitions } of this.plan.channels) this.log.createTopic(topic, partitions);
    this.log.createTopic(SINK_TOPIC, SINK_PARTITIONS);
    this.log.createTopic(this.plan.deadLetterTopic, 1);
  }

  private spawnMappings(stage: StagePlan): void {
    const partitions = Array.from({ length: this.partitionsOf(stage) }, (_, partition) => partition);
    const groups = this.config.grouped ? [partitions] : partitions.map((partition) => [partition]);
    for (const group of groups) {
      const mapping = new Mapping(this, stage, group);
      this.mappings.push(mapping);
      this.simulator.spawn(`mapping ${stage.id}-${group.join()}`, mapping.run());
    }
  }

  private spawnProducer({ topic, partition, messages, beyond }: InputPartition): void {
    const { log, simulator } = this;
    const put = ({ offset, value, time }: InputMessage): void => {
      log.put(topic, partition, { key: null, value }, offset, time);
    };
    simulator.spawn(
      `producer ${topic}-${partition}`,
      (function* () {
        for (const message of [...messages, ...beyond]) {
          yield;
          put(message);
        }
      })(),
    );
  }

  /** At some time somebody mends the functions that throw. */
  private spawnMender(): void {
    if (!this.config.mends) return;
    this.simulator.later('mender', this.simulator.pick(400, 0.3), () => {
      this.mended = true;
      this.simulator.log('mended');
    });
  }

  /** Two clocks that send ticks beside one another. */
  private spawnTickers(): void {
    for (const clock of ['clock1', 'clock2']) {
      const tick = (): void => {
        this.tick(clock);
      };
      const { simulator } = this;
      simulator.spawn(
        clock,
        (function* () {
          for (let i = 0; i < 4; i++) {
            yield;
            simulator.delay(40);
            yield;
            tick();
          }
        })(),
      );
    }
  }

  private tick(clock: string): void {
    const b = this.stageWith('b');
    if (b.input.kind !== 'channel') return;
    this.log.pass(2);
    for (let p = 0; p < this.partitionsOf(b); p++) this.log.put(this.topicOf(b), p, { key: null, value: tickFrame(clock, 0) });
  }

  /** An unbounded input without a clock would leave timers pending. */
  private async finalTick(): Promise<void> {
    this.log.pass(1000);
    this.tick('clock1');
    await this.simulator.run();
  }

  private failures(): Failures {
    const { config } = this;
    return {
      isPoison: (id) => config.poison && !this.hasReplayed && hash(id) % 4 === 0 && !(this.mended && hash(id) % 3 > 0),
      isRepaired: () => this.hasReplayed,
      salt: (stage) => (config.journal && (stage === 'b' || config.exactlyOnce) ? `~${this.simulator.unique()}` : ''),
      isPoisonTimer: (key, time) => config.poisonTimers && hash(`${key}${time}`) % 4 === 0,
      hiccup: (stage, id) => {
        const name = `${stage} ${id}`;
        if (!config.hiccups || hash(name) % 3 !== 0 || hash(id) % 4 === 0) return false; // never what may be poison too
        if (this.hiccupsSeen.delete(name)) return false;
        // Always, where each batch is run twice and compared; else now and then.
        if (config.determinismEvery === 0 && this.simulator.pick(3, 0.4) === 0) return false;
        this.hiccupsSeen.add(name);
        return true;
      },
    };
  }
}

/** The API allows no frames this small; plans are data. */
function withFrameBytes(plan: PipelinePlan, frameBytes: number): PipelinePlan {
  return { ...plan, settings: { ...plan.settings, frameBytes } };
}
