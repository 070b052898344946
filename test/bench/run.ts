/**
 * `npm run bench [-- --json] [NAME …]`: the figures, one a line; with `--json` one JSON object each, for machines. NAME picks suites:
 * handler, windows, harness, cold-start, state, growth. Nothing fails on a missed goal: the machine decides too.
 */
import { cpus } from 'node:os';
import { coldStartFigures } from './cold-start.ts';
import type { Figure } from './figure.ts';
import { handlerFigures } from './handler.ts';
import { harnessFigures } from './harness.ts';
import { growthFigures, stateFigures } from './state.ts';
import { windowFigures } from './windows.ts';

const SUITES: Readonly<Record<string, () => Promise<Figure[]>>> = {
  handler: handlerFigures,
  windows: windowFigures,
  'cold-start': coldStartFigures,
  harness: harnessFigures,
  state: stateFigures,
  growth: growthFigures,
};

const args = process.argv.slice(2);
const isJson = args.includes('--json');
const names = args.filter((arg) => !arg.startsWith('--'));
const unknown = names.find((name) => !Object.hasOwn(SUITES, name));
if (unknown !== undefined) {
  process.stderr.write(`there is no suite '${unknown}'; there are ${Object.keys(SUITES).join(', ')}\n`);
  process.exit(2);
}
process.stderr.write(
  `Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}; timings are noisy: compare ratios\n`,
);
for (const name of names.length > 0 ? names : Object.keys(SUITES)) {
  for (const figure of (await SUITES[name]?.()) ?? []) process.stdout.write(`${isJson ? JSON.stringify(figure) : describe(figure)}\n`);
}

function describe({ name, value, unit, floor, ratio, goal, ok }: Figure): string {
  const beside = floor === null ? '' : `, floor ${round(floor)}, ratio ${ratio?.toFixed(2) ?? ''}`;
  return `${ok ? 'ok  ' : 'miss'} ${name}: ${round(value)} ${unit}${beside} (goal ${goal})`;
}

function round(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(2);
}
