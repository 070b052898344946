package peers;

import java.io.File;
import java.nio.file.*;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.stream.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.*;

/**
 * gen TOPIC N                                   fill TOPIC with N bids (skips if already there)
 * expect N                                      print "query count digest" for every query, computed without Kafka
 * measure LABEL QUERY N IN EXPECT_FILE -- CMD   run CMD against IN until all of QUERY's output is visible; print one JSON line
 * latency LABEL QUERY RATE WARM_S SECS -- CMD   run CMD, feed it RATE events/s, print the latency of read_committed output
 *
 * CMD is the system under test. It reads PEERS_BROKER, PEERS_IN, PEERS_OUT, PEERS_QUERY, PEERS_RUN (a fresh id) and
 * PEERS_DIR (a fresh scratch folder), runs until it is stopped, and may be a tree of processes.
 */
public final class Tool {
  static final String BROKER = System.getenv("PEERS_BROKER");
  static final Path WORK = Path.of(System.getenv("PEERS_WORK"));
  static final int SEED = 42, TICK_MS = 50, QUIET_MS = 3000, STUCK_MS = 180_000;

  public static void main(String[] a) {
    try { command(a[0], a); System.exit(0); } catch (Throwable e) {
      e.printStackTrace();
      ProcessHandle.current().descendants().forEach(ProcessHandle::destroyForcibly);
      System.exit(1);
    }
  }
  static void command(String name, String[] a) throws Exception {
    switch (name) {
      case "gen" -> gen(a[1], Integer.parseInt(a[2]));
      case "expect" -> expect(Integer.parseInt(a[1])).forEach((q, d) -> System.out.println(q + " " + d));
      case "measure" -> new Run(a[1], a[2], command(a)).measure(Integer.parseInt(a[3]), a[4], Path.of(a[5]));
      case "latency" -> new Run(a[1], a[2], command(a)).latency(Integer.parseInt(a[3]), Integer.parseInt(a[4]), Integer.parseInt(a[5]));
      default -> throw new IllegalArgumentException(name);
    }
  }
  static List<String> command(String[] a) {
    List<String> l = Arrays.asList(a);
    return l.subList(l.indexOf("--") + 1, l.size());
  }

  // ---- data and expected results ----

  static void gen(String topic, int n) throws Exception {
    try (Admin admin = admin()) {
      try {
        if (Arrays.stream(ends(admin, topic)).sum() == n) { System.out.println(topic + ": already filled"); return; }
        throw new IllegalStateException(topic + " exists with other contents");
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) throw e;
      }
      create(admin, topic);
    }
    try (Producer<byte[], byte[]> p = producer(Map.of("batch.size", 131072, "linger.ms", 20))) {
      for (int i = 0; i < n; i++) send(p, topic, Gen.bid(SEED, i), null);
    }
    System.out.println(topic + ": filled");
  }
  static void send(Producer<byte[], byte[]> p, String topic, Bid b, Callback done) {
    p.send(new ProducerRecord<>(topic, Bid.utf8(Long.toString(b.auction)), b.json()), done);
  }

  static Map<String, String> expect(int n) {
    Map<String, LongStream.Builder> out = new TreeMap<>();
    for (String q : List.of("q0", "q2", "q12", "q12b")) out.put(q, LongStream.builder());
    Map<Long, Long> byAuction = new HashMap<>(), byBidder = new HashMap<>();
    for (int i = 0; i < n; i++) {
      Bid b = Gen.bid(SEED, i);
      long h = hash(b.json());
      out.get("q0").add(h);
      if (b.auction % 123 == 0) out.get("q2").add(h);
      out.get("q12").add(hash(Bid.q12(b.auction, byAuction.merge(b.auction, 1L, Long::sum), b.dateTime)));
      out.get("q12b").add(hash(Bid.q12b(b.bidder, byBidder.merge(b.bidder, 1L, Long::sum))));
    }
    Map<String, String> m = new TreeMap<>();
    out.forEach((q, l) -> { long[] hs = l.build().toArray(); m.put(q, hs.length + " " + digest(hs)); });
    return m;
  }
  static final ThreadLocal<MessageDigest> SHA = ThreadLocal.withInitial(() -> {
    try { return MessageDigest.getInstance("SHA-256"); } catch (Exception e) { throw new RuntimeException(e); } });
  static long hash(byte[] v) { return java.nio.ByteBuffer.wrap(SHA.get().digest(v)).getLong(); }
  /** SHA-256 over the unsigned-sorted 64-bit hashes: the same for any order and partitioning of the output. */
  static String digest(long[] hs) {
    long[] s = LongStream.of(hs).map(x -> x ^ Long.MIN_VALUE).sorted().map(x -> x ^ Long.MIN_VALUE).toArray();
    java.nio.ByteBuffer b = java.nio.ByteBuffer.allocate(s.length * 8);
    for (long x : s) b.putLong(x);
    return HexFormat.of().formatHex(SHA.get().digest(b.array()));
  }

  // ---- one run of a system under test ----

  record Sample(double t, long[] visible, Map<String, Double> cpu, double services, double others) {
    double cpuSum() { return cpu.values().stream().mapToDouble(x -> x).sum(); }
  }

  static final class Run {
    final String label, query, id, in, out;
    final List<String> command;
    final Path dir;
    final Admin admin = admin();
    Process job;
    final Map<Long, Long> rss = new HashMap<>();

    Run(String label, String query, List<String> command) {
      this.label = label; this.query = query; this.command = command;
      id = "run-" + Long.toString(System.currentTimeMillis(), 36);
      in = id + "-in"; out = id + "-out"; dir = WORK.resolve("runs").resolve(id);
    }

    void start(String input) throws Exception {
      Files.createDirectories(dir);
      ProcessBuilder pb = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(dir.resolve("log").toFile());
      pb.environment().putAll(Map.of("PEERS_BROKER", BROKER, "PEERS_IN", input, "PEERS_OUT", out,
          "PEERS_QUERY", query, "PEERS_RUN", id, "PEERS_DIR", dir.toString()));
      job = pb.start();
    }

    void stop(boolean keepLog) throws Exception {
      List<ProcessHandle> tree = Stream.concat(Stream.of(job.toHandle()), job.descendants()).toList();
      job.destroy();
      if (!job.waitFor(10, java.util.concurrent.TimeUnit.SECONDS)) tree.forEach(ProcessHandle::destroyForcibly);
      tree.forEach(ProcessHandle::destroyForcibly);
      List<String> mine = admin.listTopics(new ListTopicsOptions().listInternal(true)).names().get().stream().filter(t -> t.startsWith(id)).toList();
      admin.deleteTopics(mine).all().get();
      if (keepLog) System.err.println("log kept: " + dir);
      else try (Stream<Path> s = Files.walk(dir)) { s.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete); }
    }

    void measure(int n, String input, Path expectFile) throws Exception {
      String[] want = Files.readAllLines(expectFile).stream().map(l -> l.split(" ")).filter(l -> l[0].equals(query)).findFirst().orElseThrow();
      long count = Long.parseLong(want[1]);
      create(admin, out);
      for (int i = 0; i < 20; i++) { ends(admin, out); processes(); } // warm the meter, not the job
      Thread.sleep(500);
      double services0 = servicesCpu(), others0 = othersCpu(), self0 = selfCpu();
      long t0 = System.nanoTime(), lastChange = t0;
      start(input);
      List<Sample> samples = new ArrayList<>();
      long[] last = new long[Gen.PARTITIONS];
      for (int tick = 0; ; tick++) {
        Thread.sleep(TICK_MS);
        long[] now = ends(admin, out);
        long t = System.nanoTime();
        if (tick % 10 == 0) rss();
        if (!Arrays.equals(now, last) || tick == 0) {
          lastChange = t;
          Map<String, Double> cpu = processes();
          samples.add(new Sample((t - t0) / 1e9, now, cpu, servicesCpu() - services0,
              othersCpu() - others0 - cpu.values().stream().mapToDouble(x -> x).sum()));
        }
        last = now;
        boolean quiet = t - lastChange > QUIET_MS * 1_000_000L;
        if (quiet && Arrays.stream(now).sum() >= count) break;
        if (!job.isAlive() || t - lastChange > STUCK_MS * 1_000_000L) break;
      }
      rss();
      double meter = selfCpu() - self0;
      Output o = read(last);
      boolean correct = o.count == count && o.digest.equals(want[2]);
      Map<String, Object> r = new LinkedHashMap<>();
      r.put("label", label); r.put("query", query); r.put("events", n); r.put("outputs", o.count); r.put("correct", correct);
      if (correct) {
        double in = n, all = o.count;
        Function<Sample, Double> seen = s -> (double) o.upTo(s.visible);
        Sample first = samples.stream().filter(s -> seen.apply(s) > 0).findFirst().get();
        Sample done = samples.stream().filter(s -> seen.apply(s) == all).findFirst().get();
        Sample lo = samples.stream().filter(s -> seen.apply(s) >= 0.1 * all).findFirst().get();
        Sample hi = samples.stream().filter(s -> seen.apply(s) >= 0.9 * all).findFirst().get();
        if (System.getenv("PEERS_TIMELINE") != null)
          for (Sample x : samples) System.err.printf("%.2f s %.3f visible %s cpu %.2f%n", x.t, seen.apply(x) / all, Arrays.toString(x.visible), x.cpuSum());
        r.put("overallPerS", Math.round(in / done.t));
        r.put("steadyPerS", hi.t > lo.t ? Math.round(in * (seen.apply(hi) - seen.apply(lo)) / all / (hi.t - lo.t)) : null);
        r.put("afterFirstPerS", done.t > first.t ? Math.round(in * (all - seen.apply(first)) / all / (done.t - first.t)) : null);
        r.put("totalS", round(done.t)); r.put("firstOutputS", round(first.t));
        r.put("cpuS", round(done.cpuSum())); r.put("servicesCpuS", round(done.services));
        r.put("othersCpuShare", round(done.others / done.t / Runtime.getRuntime().availableProcessors()));
        r.put("peakRssMiB", rss.values().stream().mapToLong(x -> x).sum() / 1024);
        r.put("meterCpuS", round(meter));
        if (done.cpu.size() > 1) r.put("cpuByProcess", done.cpu);
      } else r.put("expected", want[1] + " " + want[2]);
      System.out.println(json(r));
      stop(!correct);
    }

    record Output(long count, String digest, long[][] offsets) {
      long upTo(long[] visible) {
        long c = 0;
        for (int p = 0; p < visible.length; p++) {
          int i = Arrays.binarySearch(offsets[p], visible[p]);
          c += i < 0 ? -i - 1 : i;
        }
        return c;
      }
    }
    Output read(long[] ends) {
      LongStream.Builder hashes = LongStream.builder();
      LongStream.Builder[] offsets = new LongStream.Builder[ends.length];
      try (Consumer<byte[], byte[]> c = consumer(Map.of())) {
        List<TopicPartition> tps = partitions(out);
        c.assign(tps); c.seekToBeginning(tps);
        for (int p = 0; p < ends.length; p++) offsets[p] = LongStream.builder();
        long left = System.currentTimeMillis() + 60_000;
        while (tps.stream().anyMatch(tp -> c.position(tp) < ends[tp.partition()]) && System.currentTimeMillis() < left)
          for (ConsumerRecord<byte[], byte[]> r : c.poll(Duration.ofMillis(200))) {
            hashes.add(hash(r.value()));
            offsets[r.partition()].add(r.offset());
          }
      }
      long[] hs = hashes.build().toArray();
      return new Output(hs.length, digest(hs), Stream.of(offsets).map(b -> b.build().toArray()).toArray(long[][]::new));
    }

    /** Output must carry the input's dateTime, which here is the wall clock just before the send. */
    void latency(int rate, int warmS, int secs) throws Exception {
      create(admin, in); create(admin, out);
      AtomicBoolean over = new AtomicBoolean();
      ConcurrentLinkedQueue<long[]> seen = new ConcurrentLinkedQueue<>();
      Thread reader = new Thread(() -> {
        try (Consumer<byte[], byte[]> c = consumer(Map.of("fetch.min.bytes", 1))) {
          c.assign(partitions(out)); c.seekToBeginning(partitions(out));
          while (!over.get()) for (ConsumerRecord<byte[], byte[]> r : c.poll(Duration.ofMillis(100))) {
            String s = new String(r.value());
            int i = s.indexOf("\"dateTime\":") + 11;
            long sent = Long.parseLong(s.substring(i, i + 13));
            seen.add(new long[] {sent, System.currentTimeMillis() - sent});
          }
        }
      });
      reader.setDaemon(true);
      reader.start();
      start(in);
      long sentCount = 0, begin, from;
      double cpu0 = 0, others0 = 0;
      try (Producer<byte[], byte[]> p = producer(Map.of("linger.ms", 0))) {
        begin = System.currentTimeMillis();
        from = begin + warmS * 1000L;
        int total = rate * (warmS + secs);
        for (int i = 0; i < total; i++) {
          long due = begin + i * 1000L / rate;
          while (System.currentTimeMillis() < due) { p.flush(); Thread.sleep(1); }
          if (i == rate * warmS) { cpu0 = jobCpu(); others0 = othersCpu(); }
          Bid b = Gen.bid(SEED, i);
          b.dateTime = System.currentTimeMillis();
          if (b.dateTime >= from) sentCount++;
          send(p, in, b, null);
        }
      }
      double cpu = jobCpu() - cpu0, others = othersCpu() - others0 - cpu;
      for (int i = 0; i < 300 && seen.stream().filter(s -> s[0] >= from).count() < sentCount; i++) Thread.sleep(100);
      rss();
      over.set(true); reader.join();
      long[] l = seen.stream().filter(s -> s[0] >= from).mapToLong(s -> s[1]).sorted().toArray();
      Map<String, Object> r = new LinkedHashMap<>();
      r.put("label", label); r.put("query", query); r.put("rate", rate); r.put("sent", sentCount); r.put("received", l.length);
      r.put("correct", l.length == sentCount);
      if (l.length > 0) {
        for (double q : new double[] {50, 90, 99, 99.9}) r.put("p" + (q + "Ms").replace(".0M", "M"), l[(int) Math.min(l.length - 1, Math.ceil(l.length * q / 100) - 1)]);
        r.put("maxMs", l[l.length - 1]);
      }
      r.put("cpuPercent", Math.round(100 * cpu / secs));
      r.put("othersCpuShare", round(others / secs / Runtime.getRuntime().availableProcessors()));
      r.put("rssMiB", rss.values().stream().mapToLong(x -> x).sum() / 1024);
      System.out.println(json(r));
      stop(l.length != sentCount);
    }

    Map<String, Double> processes() {
      Map<String, Double> m = new TreeMap<>();
      if (job != null) Stream.concat(Stream.of(job.toHandle()), job.descendants()).forEach(h -> cpu(h.pid(), m));
      return m;
    }
    double jobCpu() { return processes().values().stream().mapToDouble(x -> x).sum(); }
    void rss() {
      Stream.concat(Stream.of(job.toHandle()), job.descendants()).forEach(h -> {
        try (Stream<String> s = Files.lines(Path.of("/proc/" + h.pid() + "/status"))) {
          s.filter(l -> l.startsWith("VmHWM")).forEach(l -> rss.put(h.pid(), Long.parseLong(l.replaceAll("\\D", ""))));
        } catch (Exception gone) { /* process ended */ }
      });
    }
  }

  static void cpu(long pid, Map<String, Double> m) {
    try {
      String s = Files.readString(Path.of("/proc/" + pid + "/stat"));
      String[] f = s.substring(s.lastIndexOf(')') + 2).split(" ");
      m.merge(s.substring(s.indexOf('(') + 1, s.lastIndexOf(')')), (Long.parseLong(f[11]) + Long.parseLong(f[12])) / 100.0, Double::sum);
    } catch (Exception gone) { /* process ended */ }
  }
  static double cpu(long pid) {
    Map<String, Double> m = new HashMap<>();
    cpu(pid, m);
    return m.values().stream().mapToDouble(x -> x).sum();
  }
  /** Of the broker and of whatever other server the job uses, told by their process ids. */
  static double servicesCpu() { return Arrays.stream(System.getenv("PEERS_SERVICES").split(",")).mapToDouble(pid -> cpu(Long.parseLong(pid))).sum(); }
  static double selfCpu() { return cpu(ProcessHandle.current().pid()); }

  /** CPU seconds of the whole machine, less the services' and this meter's: with the job's taken off, the noise. */
  static double othersCpu() throws Exception {
    String[] f = Files.readAllLines(Path.of("/proc/stat")).get(0).split(" +");
    double busy = 0;
    for (int i : new int[] {1, 2, 3, 6, 7, 8}) busy += Long.parseLong(f[i]) / 100.0;
    return busy - servicesCpu() - selfCpu();
  }

  // ---- Kafka ----

  static Admin admin() { return Admin.create(Map.of("bootstrap.servers", BROKER)); }
  static void create(Admin admin, String topic) throws Exception {
    admin.createTopics(List.of(new NewTopic(topic, Gen.PARTITIONS, (short) 1)
        .configs(Map.of(TopicConfig.RETENTION_MS_CONFIG, "-1")))).all().get();
  }
  static List<TopicPartition> partitions(String topic) {
    return IntStream.range(0, Gen.PARTITIONS).mapToObj(p -> new TopicPartition(topic, p)).toList();
  }
  /** Last stable offsets: what a read_committed reader can see. */
  static long[] ends(Admin admin, String topic) throws Exception {
    var r = admin.listOffsets(partitions(topic).stream().collect(Collectors.toMap(tp -> tp, tp -> OffsetSpec.latest())),
        new ListOffsetsOptions(IsolationLevel.READ_COMMITTED)).all().get();
    return partitions(topic).stream().mapToLong(tp -> r.get(tp).offset()).toArray();
  }
  static Producer<byte[], byte[]> producer(Map<String, Object> more) {
    Map<String, Object> c = new HashMap<>(Map.of("bootstrap.servers", BROKER, "acks", "all"));
    c.putAll(more);
    return new KafkaProducer<>(c, new ByteArraySerializer(), new ByteArraySerializer());
  }
  static Consumer<byte[], byte[]> consumer(Map<String, Object> more) {
    Map<String, Object> c = new HashMap<>(Map.of("bootstrap.servers", BROKER, "isolation.level", "read_committed"));
    c.putAll(more);
    return new KafkaConsumer<>(c, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  static double round(double x) { return Math.round(x * 100) / 100.0; }
  static String json(Object o) {
    try { return new com.fasterxml.jackson.databind.ObjectMapper().writeValueAsString(o); } catch (Exception e) { throw new RuntimeException(e); }
  }
}
