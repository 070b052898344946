export type Cell = string | number;

/** Lines with aligned columns, two blanks in front; whole numbers stand to the right. */
export function describeTable(titles: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const texts = [titles, ...rows.map((row) => row.map(textOf))];
  const widths = titles.map((_, column) => Math.max(...texts.map((row) => row[column]?.length ?? 0)));
  const isNumber = titles.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'));
  return texts
    .map((row) => `  ${row.map((text, i) => pad(text, widths[i] ?? 0, isNumber[i] === true)).join('  ')}`.trimEnd() + '\n')
    .join('');
}

function textOf(cell: Cell): string {
  return typeof cell === 'number' ? cell.toLocaleString('en-US') : cell;
}

function pad(text: string, width: number, isNumber: boolean): string {
  return isNumber ? text.padStart(width) : text.padEnd(width);
}

/** Without what would move a terminal's cursor; lines stay. */
export function printable(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n\t]/gu, '·');
}

/** On one line, and not longer than `most` characters. */
export function preview(text: string, most: number): string {
  const line = printable(text).replaceAll(/\s+/g, ' ');
  return line.length > most ? `${line.slice(0, most)}…` : line;
}
