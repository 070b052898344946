/** The records of the handler benchmarks: bids of about 200 bytes of JSON, as in the Nexmark suite. */
export interface Bid {
  readonly auction: number;
  readonly bidder: number;
  readonly price: number;
  readonly channel: string;
  readonly url: string;
  readonly dateTime: number;
  readonly extra: string;
}

const CHANNELS = ['Google', 'Facebook', 'Baidu', 'Apple'];

export function bidOf(i: number): Bid {
  return {
    auction: 1000 + (i % 97),
    bidder: 2000 + (i % 1009),
    price: 100 + ((i * 7919) % 9973),
    channel: CHANNELS[i % 4] ?? '',
    url: `https://www.nexmark.com/item/${(i * 31) % 100_000}?query=1`,
    dateTime: 1_700_000_000_000 + i,
    extra: 'abcdefghij'.repeat(4).slice(i % 7),
  };
}
