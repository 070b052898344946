// fails: MILLRACE_WATERMARKS_MISPLACED
import { pipeline, WatermarkStrategy } from 'millrace';

export default pipeline('p', (env) => {
  env
    .fromElements(1)
    .keyBy((n) => n)
    .count()
    .uid('count')
    .assignTimestampsAndWatermarks(WatermarkStrategy.forMonotonousTimestamps())
    .print();
});
