import type { HarnessReport, HopReport, Latency } from './harness-report.ts';

type Column = readonly [title: string, cell: (hop: HopReport) => string];

const COLUMNS: readonly Column[] = [
  ['stage', ({ stage }) => stage],
  ['records in', ({ recordsIn }) => count(recordsIn)],
  ['out', ({ recordsOut }) => count(recordsOut)],
  ['bytes N', ({ bytes }) => size(bytes)],
  ['rate R', ({ rate }) => `${size(rate)}/s`],
  ['T = N/R', ({ seconds }) => `${seconds.toFixed(2)} s`],
  ['batches', ({ batches }) => count(batches)],
  ['cold', ({ coldStarts }) => count(coldStarts)],
  ['retries', ({ retries, recordRetries }) => count(retries + recordRetries)],
  ['dead', ({ deadLetters }) => count(deadLetters)],
  ['dup', ({ duplicates }) => count(duplicates)],
  ['p50 / p99 since source', ({ latencyMs }) => latency(latencyMs)],
];

/** Lines of a table with one row a hop, and a line about the whole. */
export function describeReport(report: HarnessReport): string {
  const rows = [COLUMNS.map(([title]) => title), ...report.hops.map((hop) => COLUMNS.map(([, cell]) => cell(hop)))];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '));
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return [lines[0], rule, ...lines.slice(1), '', describeTotal(report), ...describeTroubles(report)].join('\n');
}

function describeTotal(report: HarnessReport): string {
  const how = report.finished ? 'all input is through' : report.ok ? 'stopped' : 'broken';
  const delay = report.latencyMs ? `; source to sink p50 / p99 ${latency(report.latencyMs)}` : '';
  return `${report.pipeline}: ${how}; ${count(report.records)} records in ${report.seconds.toFixed(2)} s, ${count(report.recordsPerSecond)} records/s${delay}`;
}

/** What a reader should see even if the table is long: only where there is something to say. */
function describeTroubles({ hops, finished }: HarnessReport): string[] {
  return hops.flatMap(({ stage, lag, lateRecords, conflicts, gaps, throttles, givenUp }) => {
    const uncommitted = finished ? 0 : lag; // the clock's ticks come on behind the end
    const named = {
      'not committed': uncommitted,
      'late records dropped': lateRecords,
      conflicts,
      gaps,
      throttles,
      'batches given up': givenUp,
    };
    const told = Object.entries(named).filter(([, number]) => number > 0);
    return told.length > 0 ? [`${stage}: ${told.map(([name, number]) => `${count(number)} ${name}`).join(', ')}`] : [];
  });
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function size(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function latency(value: Latency | undefined): string {
  return value ? `${ms(value.p50)} / ${ms(value.p99)} ms` : '–';
}

function ms(value: number): string {
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}
