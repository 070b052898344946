import type { TopicProduction } from '../../graph/stage-plan.ts';
import type { CompressionCodecs } from './compression/codec.ts';

/** How a stage's sinks want their topics written to, and the codecs that this takes. */
export interface KafkaSinks {
  readonly produces: Readonly<Record<string, TopicProduction>>;
  readonly codecs: CompressionCodecs;
}

/** Nothing but what everything is written with. */
export const USUAL: KafkaSinks = { produces: {}, codecs: {} };
