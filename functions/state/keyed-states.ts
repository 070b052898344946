import type { StateDescriptorShape } from '../graph/logical-graph.ts';
import { MillraceError } from '../shared/errors.ts';
import { type EntryStore, TableEntries } from './entry-store.ts';
import type { ExpiringStore, StateClock } from './expiring-entries.ts';
import { tableId } from './tables.ts';
import type { TaskState } from './task-state.ts';

/** Entries that are freed each time that time moves: more than a message brings new ones, and a bound, so that what has piled up cannot hold a record up. */
const FREED_AT_ONCE = 10_000;

/** Whether entries have one key each, or are found by it: which kind of table they are in. */
export type EntryKind = 'value' | 'map';

/** Opens the entries of a state that expire, or have versions. Only bundles of stages with such states have one. */
export type OpenLivingState = (
  clock: StateClock,
  kind: EntryKind,
  operator: string,
  descriptor: StateDescriptorShape,
) => { readonly entries: EntryStore; readonly expiring: ExpiringStore | undefined };

/** What a stage must know of all the states that its operators declare. */
export class KeyedStates {
  private readonly openLiving: OpenLivingState | undefined;
  private readonly versions = new Map<string, number>();
  private readonly expiring = new Map<string, ExpiringStore>();

  constructor(openLiving?: OpenLivingState) {
    this.openLiving = openLiving;
  }

  /** The entries of a declared state. @throws MILLRACE_PLAN_MISMATCH the bundle was built for a state without ttl and versions */
  open(clock: StateClock, kind: EntryKind, operator: string, descriptor: StateDescriptorShape): EntryStore {
    const { name, version = 1, ttl } = descriptor;
    const id = tableId(kind, operator, name);
    this.versions.set(id, version);
    if (version === 1 && !ttl) return new TableEntries(clock, id);
    if (!this.openLiving)
      throw new MillraceError(
        'MILLRACE_PLAN_MISMATCH',
        `state '${name}' of ${operator} has a ttl or version now: plan and bundle the pipeline again`,
      );
    const { entries, expiring } = this.openLiving(clock, kind, operator, descriptor);
    if (expiring) this.expiring.set(id, expiring);
    return entries;
  }

  /** @throws MILLRACE_STATE_VERSION the task has entries that newer code has written. */
  check(state: TaskState): void {
    for (const table of state.allTables()) {
      const { id, version } = parseVersionedId(table.id);
      const own = this.versions.get(id);
      if (own === undefined || version <= own || table.entries.size === 0) continue;
      throw new MillraceError(
        'MILLRACE_STATE_VERSION',
        `${id} holds entries of version ${version}, and this code has version ${own}: deploy newer code`,
      );
    }
  }

  /** Time has moved: frees what has expired, some of it. Nothing is looked at that has not. */
  freeExpired(): void {
    let left = FREED_AT_ONCE;
    for (const store of this.expiring.values()) left = store.free(left);
  }
}

/** Id of the table that a version of a state is in; the first one has the state's own. */
export function versionedId(id: string, version: number): string {
  return version === 1 ? id : `${id}@${version}`;
}

/** Inverse of `versionedId`; names have no `@`. */
export function parseVersionedId(id: string): { readonly id: string; readonly version: number } {
  const at = id.lastIndexOf('@');
  return at < 0 ? { id, version: 1 } : { id: id.slice(0, at), version: Number(id.slice(at + 1)) };
}
