/** The oracle must see what it is there for. */
import { describe, expect, test } from '@jest/globals';
import { differences, type Outcome } from './oracle.ts';
import {
  type AccountState,
  nextAccount,
  nextRegion,
  NO_ACCOUNT,
  NO_REGION,
  type RegionState,
  type Result,
  type Transfer,
  transfers,
} from './transfers.ts';

const input = [...transfers(7, 500)];

/** What a pipeline leaves that applies `records` as they stand here, one after another. */
function outcomeOf(records: readonly Transfer[]): Outcome {
  const accounts = new Map<string, AccountState>();
  const regions = new Map<string, RegionState>();
  const output: Result[][] = [[], []];
  for (const transfer of records) {
    const account = nextAccount(accounts.get(transfer.account) ?? NO_ACCOUNT, transfer);
    const region = nextRegion(regions.get(transfer.region) ?? NO_REGION, transfer);
    accounts.set(transfer.account, account);
    regions.set(transfer.region, region);
    output[Number(transfer.region.slice(1)) % 2]?.push({ ...transfer, ...account, ...region });
  }
  return { output, accounts: [...accounts], regions: [...regions], gaps: 0, deadLetters: 0 };
}

/** The right outcome with its first partition changed. */
function withOutput(change: (results: readonly Result[]) => readonly Result[]): Outcome {
  const right = outcomeOf(input);
  return { ...right, output: [change(right.output[0] ?? []), right.output[1] ?? []] };
}

describe('the oracle of the chaos suite', () => {
  test('finds nothing in a run that applied each record once', () => {
    expect(differences(input, outcomeOf(input))).toEqual([]);
  });

  test('finds nothing where accounts come in another order, each in its own', () => {
    const byAccount = input.toSorted((a, b) => (a.account < b.account ? -1 : a.account > b.account ? 1 : a.seq - b.seq));

    expect(differences(input, outcomeOf(byAccount))).toEqual([]);
  });

  test.each([
    ['a lost record', input.toSpliced(100, 1)],
    ['a lost last record', input.slice(0, -1)],
    ['a doubled record', input.toSpliced(100, 0, input[100] as Transfer)],
    ['no record at all', []],
  ])('sees %s', (_, records) => {
    expect(differences(input, outcomeOf(records))).not.toEqual([]);
  });

  test('sees an output that is missing, though the state has it', () => {
    expect(
      differences(
        input,
        withOutput((results) => results.toSpliced(10, 1)),
      ),
    ).toContainEqual(expect.stringMatching(/lost|missing/));
  });

  test('sees an output that is there twice, though the state has it once', () => {
    const found = differences(
      input,
      withOutput((results) => results.toSpliced(10, 0, results[10] as Result)),
    );

    expect(found).toContainEqual(expect.stringContaining('doubled'));
  });

  test('sees outputs of an account that have changed places', () => {
    const found = differences(
      input,
      withOutput((results) => {
        const first = results.findIndex(({ seq }) => seq === 0);
        const second = results.findIndex(({ account, seq }) => account === results[first]?.account && seq === 1);
        return results.with(first, results[second] as Result).with(second, results[first] as Result);
      }),
    );

    expect(found).toContainEqual(expect.stringContaining('out of order'));
  });

  test('sees a key that two tasks hold, a gap and a dead letter', () => {
    const right = outcomeOf(input);
    const accounts = [...right.accounts, right.accounts[0] as Outcome['accounts'][number]];

    expect(differences(input, { ...right, accounts, gaps: 2, deadLetters: 1 })).toEqual([
      expect.stringContaining('is kept by two tasks'),
      'the fences count 2 gaps',
      'there are 1 dead letters',
    ]);
  });
});
