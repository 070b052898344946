// The topic is partitioned by the key already: state right in the source's stage, which gets a fence. Another key needs its hop.
import { json, kafka, pipeline } from 'millrace';

interface Reading {
  readonly sensor: string;
  readonly site: string;
  readonly value: number;
}

export default pipeline('keyed-by-record-key', (env) => {
  const readings = env
    .fromSource(kafka.source({ topic: 'readings', value: json<Reading>(), keyedByRecordKey: true }), { uid: 'readings' })
    .filter(({ value }) => value >= 0);
  readings
    .keyBy(({ sensor }) => sensor)
    .maxBy('value')
    .uid('highest')
    .print();
  readings
    .keyBy(({ site }) => site)
    .count()
    .uid('per-site')
    .print();
});
