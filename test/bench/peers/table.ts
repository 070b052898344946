import { median } from '../figure.ts';
import type { Result } from './meter.ts';

/** Of the runs with the right output, those that the rest of the machine disturbed least. */
const BEST = 3;

interface Row {
  readonly name: readonly string[];
  readonly runs: readonly Result[];
  readonly best: readonly Result[];
}

/** Medians as Markdown tables, one for throughput and one for latency. */
export function describeResults(throughput: readonly Result[], latency: readonly Result[]): string {
  const parts: string[] = [];
  if (throughput.length > 0) {
    const rows = group(throughput, ({ query, label }) => [query, label]);
    parts.push(
      `Throughput, input events/s\n\n${table(['query', 'system', ...THROUGHPUT.map(([title]) => title), 'runs', 'noise'], rows, THROUGHPUT)}`,
    );
  }
  if (latency.length > 0) {
    const rows = group(latency, ({ label, rate }) => [label, String(rate)]);
    parts.push(
      `Latency of q12, ms\n\n${table(['system', 'events/s', ...LATENCY.map(([title]) => title), 'runs', 'noise'], rows, LATENCY)}`,
    );
  }
  return parts.join('\n\n');
}

const THROUGHPUT = [
  ['whole run', 'overallPerS'],
  ['steady', 'steadyPerS'],
  ['total s', 'totalS'],
  ['first output s', 'firstOutputS'],
  ['CPU s', 'cpuS'],
  ['servers CPU s', 'servicesCpuS'],
  ['RSS MiB', 'peakRssMiB'],
] as const;

const LATENCY = [
  ['p50', 'p50Ms'],
  ['p90', 'p90Ms'],
  ['p99', 'p99Ms'],
  ['p99.9', 'p99.9Ms'],
  ['max', 'maxMs'],
  ['CPU %', 'cpuPercent'],
  ['RSS MiB', 'rssMiB'],
] as const;

type Columns = readonly (readonly [title: string, field: string])[];

function group(results: readonly Result[], nameOf: (result: Result) => readonly string[]): Row[] {
  const rows = new Map<string, Result[]>();
  for (const result of results) {
    const name = nameOf(result).join(' ');
    rows.set(name, [...(rows.get(name) ?? []), result]);
  }
  return [...rows]
    .map(([name, runs]) => {
      const right = runs.filter(({ correct }) => correct).sort((a, b) => a.othersCpuShare - b.othersCpuShare);
      return { name: name.split(' '), runs, best: right.slice(0, BEST) };
    })
    .sort((a, b) => a.name.join(' ').localeCompare(b.name.join(' ')));
}

function table(head: readonly string[], rows: readonly Row[], columns: Columns): string {
  const lines = rows.map(({ name, runs, best }) => [
    ...name,
    ...columns.map(([, field]) => show(median(best.flatMap((run) => numberOf(run[field]))))),
    `${best.length} of ${runs.length}`,
    show(Math.max(...best.map(({ othersCpuShare }) => othersCpuShare))),
  ]);
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function numberOf(value: unknown): readonly number[] {
  return typeof value === 'number' ? [value] : [];
}

function show(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return value >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Math.round(value * 100) / 100);
}
