/** `npm run test:chaos`: the pipeline of this folder on real services, with everything that can go wrong. Exit code 1 if a run fails. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { servicesPlace } from '../services/place.ts';
import { runScenario, type ScenarioResult } from './scenario.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

interface ChaosArguments {
  readonly seeds: number;
  readonly seed: number;
  readonly records: number;
}

function parse(args: readonly string[]): ChaosArguments {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ args: [...args], options: { seeds: text, seed: text, records: text } });
  return {
    seeds: count('seeds', values.seeds ?? '3'),
    seed: count('seed', values.seed ?? '1'),
    records: count('records', values.records ?? '100000'),
  };
}

function count(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new TypeError(`--${name} is '${text}': give a whole number from 1`);
}

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { seeds, seed: first, records } = parse(args);
  let [passed, failed] = [0, 0];
  for (let seed = first; seed < first + seeds && !signal.aborted; seed++) {
    const folder = join(servicesPlace().folder, 'chaos', `seed-${seed}`);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const result = await runScenario({ seed, records, folder, say, signal });
    const failures = [...result.failures, ...missing(result)];
    report(seed, records, result, failures);
    if (failures.length > 0) {
      failed++;
      say(`  again: npm run test:chaos -- --seeds 1 --seed ${seed} --records ${records}; logs: ${folder}`);
    } else {
      passed++;
      rmSync(folder, { recursive: true, force: true });
    }
  }
  say(`${passed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
}

/** A run that a fault was left out of has shown nothing about it. */
function missing({ faults }: ScenarioResult): string[] {
  return [...faults].filter(([, times]) => times === 0).map(([fault]) => `it never came to this fault: ${fault}`);
}

function report(seed: number, records: number, { faults, ends }: ScenarioResult, failures: readonly string[]): void {
  const verdict = failures.length === 0 ? '0 lost, 0 doubled, order kept' : 'FAILED';
  say(`seed ${seed}: ${records.toLocaleString('en-US')} records, ${verdict}`);
  for (const [fault, times] of faults) say(`  ${String(times).padStart(5)} × ${fault}`);
  say(`  ${String(ends).padStart(5)} × the harness ended by itself and was started again (no fault of ours: for information)`);
  for (const failure of failures) say(`  ${failure}`);
}

const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interrupt.abort());
process.exitCode = await main(process.argv.slice(2), interrupt.signal);
