package peers;

import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.state.*;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.*;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.datastream.*;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Args: AT_LEAST_ONCE | EXACTLY_ONCE (the sink's guarantee). Local MiniCluster, parallelism 2, checkpoint every 1 s. */
public final class FlinkPeer {
  static final TypeInformation<Tuple2<String, byte[]>> LINE =
      Types.TUPLE(Types.STRING, Types.PRIMITIVE_ARRAY(Types.BYTE));

  public static void main(String[] a) throws Exception {
    String in = env("PEERS_IN"), out = env("PEERS_OUT"), broker = env("PEERS_BROKER");
    Configuration conf = new Configuration();
    conf.setString("parallelism.default", "2");
    conf.setString("execution.checkpointing.interval", "1s");
    conf.setString("execution.checkpointing.mode", "EXACTLY_ONCE");
    conf.setString("execution.checkpointing.dir", "file://" + env("PEERS_DIR") + "/checkpoints");
    conf.setString("state.backend.type", "hashmap");
    conf.setString("pipeline.object-reuse", "true");
    if (env("PEERS_CHECKPOINT") != null) conf.setString("execution.checkpointing.interval", env("PEERS_CHECKPOINT"));
    StreamExecutionEnvironment flink = StreamExecutionEnvironment.getExecutionEnvironment(conf);

    KafkaSource<Bid> source = KafkaSource.<Bid>builder().setBootstrapServers(broker).setTopics(in).setGroupId(env("PEERS_RUN"))
        .setStartingOffsets(OffsetsInitializer.earliest()).setProperty("fetch.max.wait.ms", "20").setValueOnlyDeserializer(new BidSchema()).build();
    DataStream<Bid> bids = flink.fromSource(source, WatermarkStrategy.noWatermarks(), "bids");

    KafkaSinkBuilder<Tuple2<String, byte[]>> sink = KafkaSink.<Tuple2<String, byte[]>>builder().setBootstrapServers(broker)
        .setDeliveryGuarantee(DeliveryGuarantee.valueOf(a[0])).setTransactionalIdPrefix(env("PEERS_RUN"))
        .setProperty("transaction.timeout.ms", "600000")
        .setRecordSerializer((r, c, t) -> new ProducerRecord<>(out, null, Bid.utf8(r.f0), r.f1));
    if (env("PEERS_TUNED") != null) sink.setProperty("batch.size", "131072").setProperty("linger.ms", "5");

    query(bids, env("PEERS_QUERY")).sinkTo(sink.build());
    flink.execute();
  }

  static DataStream<Tuple2<String, byte[]>> query(DataStream<Bid> bids, String query) {
    return switch (query) {
      case "q0" -> bids.map(FlinkPeer::line).returns(LINE);
      case "q2" -> bids.filter(b -> b.auction % 123 == 0).map(FlinkPeer::line).returns(LINE);
      case "q12" -> bids.keyBy(b -> b.auction).process(new Count(false)).returns(LINE);
      case "q12b" -> bids.keyBy(b -> b.bidder).process(new Count(true)).returns(LINE);
      default -> throw new IllegalArgumentException(query);
    };
  }
  static Tuple2<String, byte[]> line(Bid b) { return Tuple2.of(Long.toString(b.auction), b.json()); }

  static final class Count extends KeyedProcessFunction<Long, Bid, Tuple2<String, byte[]>> {
    final boolean byBidder;
    transient ValueState<Long> state;
    Count(boolean byBidder) { this.byBidder = byBidder; }
    @Override public void open(OpenContext c) { state = getRuntimeContext().getState(new ValueStateDescriptor<>("count", Types.LONG)); }
    @Override public void processElement(Bid b, Context c, Collector<Tuple2<String, byte[]>> out) throws Exception {
      Long old = state.value();
      long n = old == null ? 1 : old + 1;
      state.update(n);
      out.collect(byBidder ? Tuple2.of(Long.toString(b.bidder), Bid.q12b(b.bidder, n))
          : Tuple2.of(Long.toString(b.auction), Bid.q12(b.auction, n, b.dateTime)));
    }
  }
  static final class BidSchema implements DeserializationSchema<Bid> {
    @Override public Bid deserialize(byte[] d) { return Bid.parse(d); }
    @Override public boolean isEndOfStream(Bid b) { return false; }
    @Override public TypeInformation<Bid> getProducedType() { return TypeInformation.of(Bid.class); }
  }
  static String env(String k) { return System.getenv(k); }
}
