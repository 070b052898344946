import type { ChannelWriter } from '../channels/channel-writer.ts';
import type { LogicalGraph } from '../graph/logical-graph.ts';
import type { OperatorTable } from '../operators/operator.ts';
import type { StateBackend } from '../state/state-backend.ts';
import type { OpenTask } from './stage-runtime.ts';

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
  readonly log: Readonly<Record<string, (address: string) => ChannelWriter | Promise<ChannelWriter>>>;
  /** Empty for a stage without a fence. */
  readonly state: Readonly<Record<string, (address: string) => StateBackend | Promise<StateBackend>>>;
}
