package peers;

import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;

/** One bid, its JSON form, and the output lines of the queries (README.md, "Queries"). */
@JsonPropertyOrder({"auction", "bidder", "price", "channel", "url", "dateTime", "extra"})
public class Bid {
  public long auction, bidder, price;
  public String channel, url;
  public long dateTime;
  public String extra;

  private static final ObjectMapper JSON = new ObjectMapper();

  public static Bid parse(byte[] json) {
    try { return JSON.readValue(json, Bid.class); } catch (Exception e) { throw new RuntimeException(e); }
  }
  public byte[] json() {
    try { return JSON.writeValueAsBytes(this); } catch (Exception e) { throw new RuntimeException(e); }
  }

  public static byte[] q12(long auction, long count, long dateTime) {
    return utf8("{\"auction\":" + auction + ",\"count\":" + count + ",\"dateTime\":" + dateTime + "}");
  }
  public static byte[] q12b(long bidder, long count) {
    return utf8("{\"bidder\":" + bidder + ",\"count\":" + count + "}");
  }
  public static byte[] utf8(String s) { return s.getBytes(StandardCharsets.UTF_8); }
}
