import { types } from 'node:util';

/**
 * A stored value as JSON. What JSON does not have becomes an object of one field: `{ "$bytes": base64 }`, `{ "$map": [[key, value]] }`,
 * `{ "$set": [item] }`, `{ "$date": ISO, null where it is no date }`, `{ "$bigint": digits }`, `{ "$number": "NaN" | "Infinity" | "-Infinity" | "-0" }`,
 * `{ "$undefined": true }`.
 */
export function toJsonView(value: unknown): unknown {
  if (value === undefined) return { $undefined: true };
  if (typeof value === 'bigint') return { $bigint: String(value) };
  if (typeof value === 'number') return numberView(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(toJsonView);
  if (types.isUint8Array(value)) return { $bytes: Buffer.from(value).toString('base64') };
  if (types.isMap(value)) return { $map: [...value].map(([key, item]) => [toJsonView(key), toJsonView(item)]) };
  if (types.isSet(value)) return { $set: [...value].map(toJsonView) };
  if (types.isDate(value)) return { $date: Number.isNaN(value.getTime()) ? null : value.toISOString() };
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, toJsonView(field)]));
}

function numberView(value: number): unknown {
  if (Number.isFinite(value) && !Object.is(value, -0)) return value;
  return { $number: Object.is(value, -0) ? '-0' : String(value) };
}
