import { type DataStream, json, kafka, pipeline, type Pipeline, WatermarkStrategy } from '../../../../functions/index.ts';
import type { PipelineRun } from '../../../../local/testing.ts';

export interface Item {
  readonly key: string;
  /** Event time in ms. */
  readonly at: number;
  readonly value: string;
}

export const item = (key: string, at: number, value: string): Item => ({ key, at, value });

export const key = ({ key }: Item): string => key;

/** Two topics, `left` and `right`; what `build` gives goes to a third one. */
export function twoTopics(
  build: (left: DataStream<Item>, right: DataStream<Item>) => DataStream<unknown>,
  { outOfOrdernessMs = 0, parallelism = 2 } = {},
): Pipeline {
  return pipeline('two', { parallelism, watermarkIntervalMs: 1 }, (env) => {
    const source = (topic: string): DataStream<Item> =>
      env
        .fromSource(kafka.source({ topic, value: json<Item>() }), { uid: topic })
        .assignTimestampsAndWatermarks(
          WatermarkStrategy.forBoundedOutOfOrderness(outOfOrdernessMs).withTimestampAssigner(({ at }: Item) => at),
        );
    build(source('left'), source('right')).sinkTo(kafka.sink({ topic: 'out', value: json() }));
  });
}

/** What went to the third topic. */
export function values({ sinks }: PipelineRun): unknown[] {
  return (sinks['out'] ?? []).map(({ value }) => value);
}
