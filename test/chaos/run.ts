/** `npm run test:chaos`: the pipeline of this folder on real services, with everything that can go wrong. Exit code 1 if a run fails. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { servicesPlace } from '../services/place.ts';
import { ServicesError } from '../services/services-error.ts';
import { parseChaosArguments } from './arguments.ts';
import { runScenario, type ScenarioResult } from './scenario.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Longest that a run has to clean up after a signal. */
const CLEANING_MS = 60_000;

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { seeds, seed: first, records } = parseChaosArguments(args);
  const begun = performance.now();
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
  say(`${passed} passed, ${failed} failed, in ${((performance.now() - begun) / 1000).toFixed(0)} s`);
  return failed > 0 ? 1 : 0;
}

/** A run that a fault was left out of has shown nothing about it. */
function missing({ faults }: ScenarioResult): string[] {
  return [...faults].filter(([, times]) => times === 0).map(([fault]) => `it never came to this fault: ${fault}`);
}

function report(seed: number, records: number, { faults, ends, seconds }: ScenarioResult, failures: readonly string[]): void {
  const verdict = failures.length === 0 ? '0 lost, 0 doubled, order kept' : 'FAILED';
  say(`seed ${seed}: ${records.toLocaleString('en-US')} records, ${verdict}, in ${seconds.toFixed(0)} s`);
  for (const [fault, times] of faults) say(`  ${String(times).padStart(5)} × ${fault}`);
  say(`  ${String(ends).padStart(5)} × the harness ended by itself and was started again (no fault of ours: for information)`);
  for (const failure of failures) say(`  ${failure}`);
}

const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    interrupt.abort();
    void delay(CLEANING_MS, undefined, { ref: false }).then(() => end(1));
  });
}

main(process.argv.slice(2), interrupt.signal).then(end, (error: unknown) => {
  const isExpected = error instanceof ServicesError;
  process.stderr.write(isExpected ? `error ${error.code}: ${error.message}\n` : `${(error as Error).stack ?? String(error)}\n`);
  return end(isExpected && error.code === 'USAGE' ? 2 : 1);
});

/** At once: a connection that was cut in the midst of a request may keep the process for as long as its client likes. */
async function end(code: number): Promise<void> {
  await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((resolve) => stream.write('', resolve))));
  process.exit(code);
}
