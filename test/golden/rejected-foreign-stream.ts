// fails: MILLRACE_STREAM_FOREIGN
import { type DataStream, pipeline } from 'millrace';

const streams: DataStream<number>[] = [];

const other = pipeline('other', (env) => {
  streams.push(env.fromElements(1));
});

export default pipeline('p', (env) => {
  other.build();
  env
    .fromElements(2)
    .union(...streams)
    .print();
});
