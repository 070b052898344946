package peers;

import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.*;
import org.apache.kafka.streams.*;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.processor.api.*;
import org.apache.kafka.streams.state.*;

/** Args: at_least_once | exactly_once_v2 [commit.interval.ms]. Two stream threads, everything else default. */
public final class StreamsPeer {
  static final Serde<Bid> BID = Serdes.serdeFrom((t, b) -> b.json(), (t, d) -> Bid.parse(d));

  public static void main(String[] a) {
    String in = env("PEERS_IN"), out = env("PEERS_OUT"), query = env("PEERS_QUERY");
    Properties p = new Properties();
    p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, env("PEERS_BROKER"));
    p.put(StreamsConfig.APPLICATION_ID_CONFIG, env("PEERS_RUN"));
    p.put(StreamsConfig.STATE_DIR_CONFIG, env("PEERS_DIR"));
    p.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2);
    p.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, a[0]);
    if (a.length > 1) p.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, a[1]);
    p.put("auto.offset.reset", "earliest");
    p.put(StreamsConfig.consumerPrefix("fetch.max.wait.ms"), 20);
    if (System.getenv("PEERS_TUNED") != null) {
      p.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 131072);
      p.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 5);
    }
    StreamsBuilder sb = new StreamsBuilder();
    KStream<String, Bid> bids = sb.stream(in, Consumed.with(Serdes.String(), BID));
    Produced<String, Bid> asBid = Produced.with(Serdes.String(), BID);
    Produced<String, byte[]> asBytes = Produced.with(Serdes.String(), Serdes.ByteArray());
    switch (query) {
      case "q0" -> bids.to(out, asBid);
      case "q2" -> bids.filter((k, b) -> b.auction % 123 == 0).to(out, asBid);
      case "q12" -> { counts(sb); bids.processValues(() -> new Count(false), "counts").to(out, asBytes); }
      case "q12b" -> { counts(sb); bids.selectKey((k, b) -> Long.toString(b.bidder))
          .repartition(Repartitioned.with(Serdes.String(), BID).withName("by-bidder"))
          .processValues(() -> new Count(true), "counts").to(out, asBytes); }
      default -> throw new IllegalArgumentException(query);
    }
    KafkaStreams ks = new KafkaStreams(sb.build(), p);
    ks.setUncaughtExceptionHandler(e -> { e.printStackTrace(); System.exit(1); return null; });
    Runtime.getRuntime().addShutdownHook(new Thread(() -> ks.close(Duration.ofSeconds(5))));
    ks.start();
  }

  static void counts(StreamsBuilder sb) {
    sb.addStateStore(Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore("counts"), Serdes.String(), Serdes.Long()));
  }
  static final class Count implements FixedKeyProcessor<String, Bid, byte[]> {
    final boolean byBidder;
    FixedKeyProcessorContext<String, byte[]> ctx;
    KeyValueStore<String, Long> store;
    Count(boolean byBidder) { this.byBidder = byBidder; }
    @Override public void init(FixedKeyProcessorContext<String, byte[]> c) { ctx = c; store = c.getStateStore("counts"); }
    @Override public void process(FixedKeyRecord<String, Bid> r) {
      Long old = store.get(r.key());
      long n = old == null ? 1 : old + 1;
      store.put(r.key(), n);
      Bid b = r.value();
      ctx.forward(r.withValue(byBidder ? Bid.q12b(b.bidder, n) : Bid.q12(b.auction, n, b.dateTime)));
    }
  }
  static String env(String k) { return System.getenv(k); }
}
