import { types } from 'node:util';
import { fromStateKey, isKey, type Key, stateKey } from '../../functions/shared/key.ts';
import { MapTable, restOf, type Table, TimerTable } from '../../functions/state/tables.ts';
import type { TaskState } from '../../functions/state/task-state.ts';
import { toJsonView } from './json-view.ts';

/**
 * The keys that a text on the command line may mean: itself; a number or tuple, where it is the JSON of one; bytes behind `base64:`.
 * They have the same bytes, so the same task, but for the last.
 */
export function keysOfText(text: string): Key[] {
  const keys: Key[] = [text];
  const parsed = parseJson(text);
  if (typeof parsed !== 'string' && isKey(parsed)) keys.push(parsed);
  if (text.startsWith('base64:')) keys.push(new Uint8Array(Buffer.from(text.slice('base64:'.length), 'base64')));
  return keys;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The kind of a key, for people: `7` may be a string or a number. */
export function typeOfKey(key: Key): string {
  return typeof key === 'string' || typeof key === 'number' ? typeof key : types.isUint8Array(key) ? 'bytes' : 'tuple';
}

/**
 * What is stored under a key, as JSON: of a value, list, reducing or aggregating state the value (an aggregate's accumulator), of a map
 * its entries as `[key, value]`, of timers their times in ms. Undefined if there is nothing.
 */
export function readValue(state: TaskState, id: string, key: Key): unknown {
  const table = state.table(id);
  const owner = stateKey(key);
  if (table instanceof MapTable) {
    const entries = table.keysOf(owner).map((entry) => [toJsonView(fromStateKey(restOf(entry))), toJsonView(table.entries.get(entry))]);
    return entries.length > 0 ? entries : undefined;
  }
  if (table instanceof TimerTable) return timesOf(table, owner);
  return table.entries.has(owner) ? toJsonView(table.entries.get(owner)) : undefined;
}

function timesOf(table: Table, owner: string): number[] | undefined {
  const times = [...table.entries].filter(([entry]) => table.ownerOf(entry) === owner).map(([, time]) => time as number);
  return times.length > 0 ? times.sort((a, b) => a - b) : undefined;
}
