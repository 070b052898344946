/** The queries of README.md, as a user of Millrace writes them. */
import { type DataStream, json, kafka, pipeline, valueState } from 'millrace';

interface Bid {
  readonly auction: number;
  readonly bidder: number;
  readonly price: number;
  readonly channel: string;
  readonly url: string;
  readonly dateTime: number;
  readonly extra: string;
}

type Query = (bids: DataStream<Bid>, output: string) => void;

const sink = <T>(topic: string, key: (value: T) => number) =>
  kafka.sink<T>({ topic, value: json(), key: (value) => String(key(value)), delivery: 'exactly-once' });

const queries: Readonly<Record<string, Query>> = {
  q0: (bids, output) => {
    bids.sinkTo(sink(output, ({ auction }) => auction));
  },
  q2: (bids, output) => {
    bids.filter(({ auction }) => auction % 123 === 0).sinkTo(sink(output, ({ auction }) => auction));
  },
  q12: (bids, output) => {
    bids
      .keyBy(({ auction }) => auction)
      .process({
        state: { count: valueState<number>('count', { default: 0 }) },
        processElement({ auction, dateTime }, { state }) {
          const count = state.count.value() + 1;
          state.count.update(count);
          return [{ auction, count, dateTime }];
        },
      })
      .uid('count')
      .sinkTo(sink(output, ({ auction }) => auction));
  },
  q12b: (bids, output) => {
    bids
      .keyBy(({ bidder }) => bidder)
      .count()
      .uid('count')
      .map(({ key, count }) => ({ bidder: key, count }))
      .sinkTo(sink(output, ({ bidder }) => bidder));
  },
};

export default pipeline('peers', { parallelism: 4, batchSize: 10_000, batchWindowMs: 0 }, (env) => {
  const name = env.param('query');
  const query = queries[name];
  if (!query) throw new Error(`there is no query '${name}'; there are ${Object.keys(queries).join(', ')}`);
  const source = kafka.source({ topic: env.param('input'), value: json<Bid>(), keyedByRecordKey: name === 'q12' });
  query(env.fromSource(source, { uid: 'bids' }), env.param('output'));
});
