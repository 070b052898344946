import { type ConfigEntry, describeValue } from '../config.ts';

/** `millrace config FILE`: each value and where it came from, secrets masked. */
export function describeConfig(entries: readonly ConfigEntry[]): string {
  const rows = entries.map((entry) => [entry.name, describeValue(entry), entry.source]);
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(([name = '', value = '', source = '']) => `${name.padEnd(widths[0] ?? 0)}  ${value.padEnd(widths[1] ?? 0)}  ${source}`)
    .join('\n');
}
