import { cloneValue } from '../codec/clone.ts';
import type { EntryStore } from './entry-store.ts';
import { toStateValue } from './value-limit.ts';

/** Makes a stored value of an older version one of this version; of a list each item, of a map each entry's value. */
export type Migrate = (old: unknown, fromVersion: number) => unknown;

/**
 * Entries of a state whose shape has changed: each version is in a table of its own. What an older one holds is migrated when it is first
 * read, and is in the newest from then on.
 */
export class VersionedEntries implements EntryStore {
  private readonly current: EntryStore;
  /** The newest first. */
  private readonly older: readonly { readonly version: number; readonly entries: EntryStore }[];
  private readonly migrate: Migrate;

  constructor(open: (version: number) => EntryStore, version: number, migrate: Migrate) {
    this.current = open(version);
    this.older = Array.from({ length: version - 1 }, (_, i) => ({ version: version - 1 - i, entries: open(version - 1 - i) }));
    this.migrate = migrate;
  }

  has(entry: string): boolean {
    return this.current.has(entry) || this.older.some(({ entries }) => entries.has(entry));
  }

  get(entry: string): unknown {
    if (this.current.has(entry)) return this.current.get(entry);
    const found = this.older.find(({ entries }) => entries.has(entry));
    if (!found) return undefined;
    const migrated = toStateValue(this.migrate(cloneValue(found.entries.get(entry)), found.version));
    this.set(entry, migrated);
    return migrated;
  }

  set(entry: string, value: unknown): void {
    this.deleteOlder(entry);
    this.current.set(entry, value);
  }

  delete(entry: string): void {
    this.deleteOlder(entry);
    this.current.delete(entry);
  }

  keys(stateKey: string): readonly string[] {
    const all = [this.current, ...this.older.map(({ entries }) => entries)].flatMap((entries) => entries.keys(stateKey));
    return [...new Set(all)].sort();
  }

  private deleteOlder(entry: string): void {
    for (const { entries } of this.older) if (entries.has(entry)) entries.delete(entry);
  }
}
