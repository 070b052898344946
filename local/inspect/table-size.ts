import { encodeValue } from '../../functions/codec/value.ts';
import type { Table } from '../../functions/state/tables.ts';
import { parseVersionedId } from '../../functions/state/keyed-states.ts';
import type { TaskView } from './state-reader.ts';

/** What one state of one operator holds, in one task or in several. */
export interface TableSize {
  /** `value`, `map` or `timers`; `ttl-value` and `ttl-map` for the times at which entries were last used. */
  readonly kind: string;
  readonly operator: string;
  /** Of the table in the task's state. */
  readonly id: string;
  /** The state's name; of timers their time domain, `event` or `processing`. */
  readonly state: string;
  readonly keys: number;
  /** More than keys for maps and timers. */
  readonly entries: number;
  /** Of keys and values, each value encoded by itself: an image, which shares shapes and may be cut, takes less. */
  readonly bytes: number;
}

/** Sizes of the tables of some tasks, added up: no key is in two tasks. */
export function sizeTables(tasks: readonly Pick<TaskView, 'state'>[]): TableSize[] {
  const sizes = new Map<string, TableSize>();
  for (const { state } of tasks) for (const table of state.allTables()) sizes.set(table.id, addTable(sizes.get(table.id), table));
  return [...sizes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, size]) => size);
}

function addTable(sum: TableSize | undefined, table: Table): TableSize {
  let bytes = 0;
  const owners = new Set<string>();
  for (const [key, value] of table.entries) {
    bytes += Buffer.byteLength(key) + encodeValue(value).length;
    owners.add(table.ownerOf(key));
  }
  return {
    id: table.id,
    ...parseTableId(parseVersionedId(table.id).id),
    keys: (sum?.keys ?? 0) + owners.size,
    entries: (sum?.entries ?? 0) + table.entries.size,
    bytes: (sum?.bytes ?? 0) + bytes,
  };
}

/** Inverse of `tableId`; uids have no `/`. */
function parseTableId(id: string): Pick<TableSize, 'kind' | 'operator' | 'state'> {
  const [colon, slash] = [id.indexOf(':'), id.indexOf('/')];
  return { kind: id.slice(0, colon), operator: id.slice(colon + 1, slash), state: id.slice(slash + 1) };
}
