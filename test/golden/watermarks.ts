// Event time is taken in the source's stage.
import { json, kafka, pipeline, WatermarkStrategy } from 'millrace';

export default pipeline('watermarks', { watermarkIntervalMs: 1000 }, (env) => {
  env
    .fromSource(kafka.source({ topic: 'bids', value: json<{ auction: number; time: number }>() }), { uid: 'bids' })
    .assignTimestampsAndWatermarks(WatermarkStrategy.forBoundedOutOfOrderness('5 seconds').withTimestampAssigner((bid) => bid.time))
    .keyBy(({ auction }) => auction)
    .count()
    .uid('bids-per-auction')
    .print();
});
