/** Whether fields can have this between them. */
export function isDelimiter(value: unknown): value is string {
  return typeof value === 'string' && /^[\t\x20-\x7e]$/.test(value) && value !== '"';
}

/** What is wrong with the names of columns, if anything is. */
export function wrongColumns(columns: unknown): string | undefined {
  if (!Array.isArray(columns) || columns.length === 0 || columns.some((column) => typeof column !== 'string'))
    return `they are ${JSON.stringify(columns)}`;
  if (columns.includes('')) return `column ${columns.indexOf('') + 1} has no name`;
  const twice: unknown = columns.find((column, i) => columns.indexOf(column) !== i);
  return twice === undefined ? undefined : `two are named ${JSON.stringify(twice)}`;
}
