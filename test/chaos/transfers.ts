import { draw } from './draw.ts';

/** One record of the input. */
export interface Transfer {
  readonly account: string;
  readonly region: string;
  /** Of the account's transfers, from 0. */
  readonly seq: number;
  readonly amount: number;
}

export interface AccountState {
  readonly count: number;
  readonly total: number;
  /** Depends on each transfer and on their order. */
  readonly digest: number;
}

export interface RegionState {
  readonly regionCount: number;
  readonly regionTotal: number;
}

/** One record of the output. */
export interface Result extends Transfer, AccountState, RegionState {}

export const NO_ACCOUNT: AccountState = { count: 0, total: 0, digest: 0 };
export const NO_REGION: RegionState = { regionCount: 0, regionTotal: 0 };

const REGIONS = 20;
const TRANSFERS_AN_ACCOUNT = 50;

export function nextAccount({ count, total, digest }: AccountState, { seq, amount }: Transfer): AccountState {
  return { count: count + 1, total: total + amount, digest: (digest * 31 + seq + amount) % 1_000_003 };
}

export function nextRegion({ regionCount, regionTotal }: RegionState, { amount }: Transfer): RegionState {
  return { regionCount: regionCount + 1, regionTotal: regionTotal + amount };
}

/** The input of a run, in order; some accounts have many transfers, most have few. */
export function* transfers(seed: number, records: number): Generator<Transfer> {
  const accounts = Math.max(REGIONS, Math.floor(records / TRANSFERS_AN_ACCOUNT));
  const sent = new Map<string, number>();
  for (let i = 0; i < records; i++) {
    const number = Math.floor(draw(seed, 'account', i) ** 2 * accounts);
    const account = `a${number}`;
    const seq = sent.get(account) ?? 0;
    sent.set(account, seq + 1);
    yield { account, region: `r${number % REGIONS}`, seq, amount: Math.floor(draw(seed, 'amount', i) * 1000) };
  }
}
