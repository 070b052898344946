const QUOTE = '"';

/** The fields of one row, or what is wrong with it. */
export type CsvRow = { readonly fields: readonly string[] } | { readonly wrong: string };

/**
 * Takes a row of CSV apart as RFC 4180 has it: a field in quotes may hold delimiters, line ends, and quotes that are doubled; one without
 * holds no quote.
 *
 * @param row - Without its line end.
 * @param delimiter - One character.
 */
export function parseCsvRow(row: string, delimiter: string): CsvRow {
  if (!row.includes(QUOTE)) return { fields: row.split(delimiter) };
  const fields: string[] = [];
  for (let at = 0; ; at++) {
    const field = row[at] === QUOTE ? quotedField(row, at, delimiter) : plainField(row, at, delimiter);
    if (field.wrong !== undefined) return { wrong: `field ${fields.length + 1} ${field.wrong}` };
    fields.push(field.text);
    at = field.end;
    if (at >= row.length) return { fields };
  }
}

/** A field and the index of the delimiter behind it, or of the row's end. */
type Field = { readonly text: string; readonly end: number; readonly wrong?: never } | { readonly wrong: string };

function plainField(row: string, start: number, delimiter: string): Field {
  const found = row.indexOf(delimiter, start);
  const end = found === -1 ? row.length : found;
  const text = row.slice(start, end);
  return text.includes(QUOTE) ? { wrong: 'has a quote inside, but none around it' } : { text, end };
}

function quotedField(row: string, start: number, delimiter: string): Field {
  let end = row.indexOf(QUOTE, start + 1);
  while (end !== -1 && row[end + 1] === QUOTE) end = row.indexOf(QUOTE, end + 2);
  if (end === -1) return { wrong: 'begins with a quote that is never closed' };
  const next = row[end + 1];
  if (next !== undefined && next !== delimiter) return { wrong: `goes on behind its closing quote with ${JSON.stringify(next)}` };
  return { text: row.slice(start + 1, end).replaceAll('""', QUOTE), end: end + 1 };
}
