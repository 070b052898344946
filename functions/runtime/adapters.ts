import type { ChannelWriter } from '../channels/channel-writer.ts';
import type { CompressionCodecs } from '../channels/kafka/compression/codec.ts';
import type { KafkaSinks } from '../channels/kafka/kafka-sinks.ts';
import type { TransactionalLog } from '../channels/transactional-log.ts';
import type { LogicalGraph } from '../graph/logical-graph.ts';
import type { OperatorTable } from '../operators/operator.ts';
import type { StateBackend } from '../state/state-backend.ts';
import type { LivingStates } from './operator-chain.ts';
import type { OpenTask } from './stage-runtime.ts';

/** Environment variables of a function. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Lazy factories by name. `sinks`: how the stage's sinks write to topics. */
type Openers<T> = Readonly<Record<string, (env: Environment, sinks: KafkaSinks) => T | Promise<T>>>;

/**
 * What a bundle chooses from: the generated entry names only adapters that the stage can use, each a lazy factory, so the same bytes run
 * embedded and deployed and nothing that is not chosen is loaded.
 */
export interface StageAdapters {
  /** The pipeline file's default export. */
  readonly pipeline: { readonly build: (params: Readonly<Record<string, string>>) => LogicalGraph };
  /** With a fence (`openFencedTask`) or without (`openSourceTask`). */
  readonly task: OpenTask;
  /** Operators that the stage runs. */
  readonly operators: OperatorTable;
  /** Empty for a stage whose states neither expire nor have versions. */
  readonly states: LivingStates;
  readonly log: Openers<ChannelWriter>;
  /** Empty for a stage without a fence. */
  readonly state: Openers<StateBackend>;
  /** By the names of `log`; empty for a stage without an exactly-once sink. */
  readonly transactions: Openers<TransactionalLog>;
  /** Compressions that sinks of the stage want, and Kafka's client lacks. */
  readonly codecs: CompressionCodecs;
}
