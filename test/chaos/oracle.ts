import {
  type AccountState,
  nextAccount,
  nextRegion,
  NO_ACCOUNT,
  NO_REGION,
  type RegionState,
  type Result,
  type Transfer,
} from './transfers.ts';

/** What a run has left behind. */
export interface Outcome {
  /** What a reader of committed messages gets, one list a partition, in order. */
  readonly output: readonly (readonly Result[])[];
  /** By key, as the tasks' fences say; a key that two tasks hold is there twice. */
  readonly accounts: readonly (readonly [key: string, state: AccountState])[];
  readonly regions: readonly (readonly [key: string, state: RegionState])[];
  /** Input that the fences say was missing, and records that were given up. */
  readonly gaps: number;
  readonly deadLetters: number;
}

/** Faults to be shown of one kind; thousands may follow from one cause. */
const MOST_SHOWN = 10;

/** Everything in which an outcome differs from what one pass over the input in order gives; empty if nothing does. */
export function differences(input: Iterable<Transfer>, outcome: Outcome): string[] {
  const { accounts, regions, histories } = expected(input);
  return [
    ...shown(outputDifferences(histories, outcome.output)),
    ...shown(regionDifferences(regions, outcome.output)),
    ...shown(stateDifferences('account', accounts, outcome.accounts)),
    ...shown(stateDifferences('region', regions, outcome.regions)),
    ...(outcome.gaps > 0 ? [`the fences count ${outcome.gaps} gaps`] : []),
    ...(outcome.deadLetters > 0 ? [`there are ${outcome.deadLetters} dead letters`] : []),
  ];
}

interface Expected {
  readonly accounts: Map<string, AccountState>;
  readonly regions: Map<string, RegionState>;
  /** Each account's transfers with what the account was after them. */
  readonly histories: Map<string, (Transfer & AccountState)[]>;
}

function expected(input: Iterable<Transfer>): Expected {
  const found: Expected = { accounts: new Map(), regions: new Map(), histories: new Map() };
  for (const transfer of input) {
    const { account, region } = transfer;
    const state = nextAccount(found.accounts.get(account) ?? NO_ACCOUNT, transfer);
    found.accounts.set(account, state);
    found.regions.set(region, nextRegion(found.regions.get(region) ?? NO_REGION, transfer));
    const history = found.histories.get(account) ?? [];
    history.push({ ...transfer, ...state });
    found.histories.set(account, history);
  }
  return found;
}

/** Lost, doubled, out of order or wrong: account by account. All of an account's results are in one partition. */
function* outputDifferences(histories: Expected['histories'], output: Outcome['output']): Generator<string> {
  const heads = new Map<string, number>();
  for (const [partition, results] of output.entries()) {
    for (const [index, result] of results.entries()) {
      const head = heads.get(result.account) ?? 0;
      const where = `partition ${partition}, committed message ${index}: account ${result.account}`;
      const wanted = histories.get(result.account)?.[head];
      heads.set(result.account, Math.max(head, result.seq + 1));
      if (result.seq < head) yield `${where}: transfer ${result.seq} is doubled or out of order, after ${head - 1}`;
      else if (result.seq > head) yield `${where}: transfers ${head} to ${result.seq - 1} are lost or out of order, before ${result.seq}`;
      else if (wanted === undefined || !agrees(wanted, result))
        yield `${where}: is ${JSON.stringify(result)}, expected ${JSON.stringify(wanted)}`;
    }
  }
  for (const [account, history] of histories) {
    const head = heads.get(account) ?? 0;
    if (head < history.length) yield `account ${account}: transfers ${head} to ${history.length - 1} are missing at the end`;
  }
}

/** The last stage has counted each region's results one by one, in the order in which they stand. */
function* regionDifferences(regions: Expected['regions'], output: Outcome['output']): Generator<string> {
  const reached = new Map<string, RegionState>();
  for (const [partition, results] of output.entries()) {
    for (const [index, result] of results.entries()) {
      const wanted = nextRegion(reached.get(result.region) ?? NO_REGION, result);
      reached.set(result.region, { regionCount: result.regionCount, regionTotal: result.regionTotal });
      if (agrees(wanted, result)) continue;
      yield (
        `partition ${partition}, committed message ${index}: region ${result.region} stands at ${result.regionCount} / ${result.regionTotal}, ` +
        `expected ${wanted.regionCount} / ${wanted.regionTotal}`
      );
    }
  }
  yield* stateDifferences('the last output of region', regions, [...reached]);
}

function* stateDifferences<S extends object>(
  what: string,
  wanted: ReadonlyMap<string, S>,
  found: readonly (readonly [key: string, state: S])[],
): Generator<string> {
  const seen = new Set<string>();
  for (const [key, state] of found) {
    if (seen.has(key)) yield `${what} ${key} is kept by two tasks`;
    seen.add(key);
    const right = wanted.get(key);
    if (right === undefined || !agrees(right, state)) yield `${what} ${key} is ${JSON.stringify(state)}, expected ${JSON.stringify(right)}`;
  }
  for (const key of wanted.keys()) if (!seen.has(key)) yield `${what} ${key} is missing`;
}

/** Whether `found` has all that `wanted` has. */
function agrees(wanted: object, found: object): boolean {
  return Object.entries(wanted).every(([name, value]) => (found as Record<string, unknown>)[name] === value);
}

function shown(all: Iterable<string>): string[] {
  const list = [...all];
  return list.length <= MOST_SHOWN ? list : [...list.slice(0, MOST_SHOWN), `… and ${list.length - MOST_SHOWN} more like these`];
}
