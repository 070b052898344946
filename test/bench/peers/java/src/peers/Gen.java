package peers;

/** The data set, as README.md defines it: every field of event i is a pure function of (seed, i). */
final class Gen {
  static final long BASE = 1_700_000_000_000L;
  static final int PARTITIONS = 4;
  private static final String[] HOT_CHANNELS = {"Google", "Facebook", "Baidu", "Apple"};

  /** fmix32 of MurmurHash3 over a 32-bit counter. */
  static int r(int seed, int i, int k) {
    int h = seed + i * 0x9E3779B1 + k * 0x85EBCA77;
    h ^= h >>> 16; h *= 0x85EBCA6B; h ^= h >>> 13; h *= 0xC2B2AE35; h ^= h >>> 16;
    return h;
  }
  private static int mod(int h, int m) { return Integer.remainderUnsigned(h, m); }

  static Bid bid(int seed, int i) {
    Bid b = new Bid();
    b.auction = (r(seed, i, 0) & 1) == 1 ? 1000 + (i / 5000 * 37) % 1000 : 1000 + mod(r(seed, i, 1), 1000);
    b.bidder = mod(r(seed, i, 2), 4) != 0 ? 1000 + (i / 2000 * 53) % 5000 : 1000 + mod(r(seed, i, 3), 5000);
    b.price = 100 + mod(r(seed, i, 4), 9_999_900);
    int c = r(seed, i, 5);
    b.channel = (c & 1) == 0 ? HOT_CHANNELS[c >>> 1 & 3] : "channel-" + (c >>> 1) % 10000;
    b.url = "https://auctions.example/item/" + b.auction + "?ch=" + (c >>> 1) % 10000;
    b.dateTime = BASE + i - mod(r(seed, i, 6), 2001);
    b.extra = "";
    int pad = Math.max(8, 200 - b.json().length);
    StringBuilder s = new StringBuilder(pad);
    for (int j = 0; j < pad; j++) s.append((char) ('a' + mod(r(seed, i, 16 + j), 26)));
    b.extra = s.toString();
    return b;
  }

}
