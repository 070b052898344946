// A partition without records holds back the watermark only for a while.
import { json, kafka, pipeline, WatermarkStrategy } from 'millrace';

export default pipeline('idle-partitions', (env) => {
  env
    .fromSource(kafka.source({ topic: 'bids', value: json<{ auction: number; time: number }>() }), { uid: 'bids' })
    .assignTimestampsAndWatermarks(
      WatermarkStrategy.forBoundedOutOfOrderness('5 seconds')
        .withIdleness('1 minute')
        .withTimestampAssigner((bid) => bid.time),
    )
    .keyBy(({ auction }) => auction)
    .count()
    .uid('bids-per-auction')
    .print();
});
