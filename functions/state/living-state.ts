import type { StateDescriptorShape } from '../graph/logical-graph.ts';
import { type EntryStore, TableEntries } from './entry-store.ts';
import { ExpiringEntries, ExpiringLists } from './expiring-entries.ts';
import { type OpenLivingState, versionedId } from './keyed-states.ts';
import { tableId } from './tables.ts';
import { type Migrate, VersionedEntries } from './versioned-entries.ts';

/** The entries of a state with what its descriptor says of their life: versions, a TTL. */
export const openLivingState: OpenLivingState = (clock, kind, operator, descriptor) => {
  const { name, version = 1, migrate, ttl } = descriptor;
  const id = tableId(kind, operator, name);
  const open = (of: number): EntryStore => new TableEntries(clock, versionedId(id, of));
  const entries = migrate ? new VersionedEntries(open, version, ofEachItem(descriptor.kind, migrate)) : open(version);
  if (!ttl) return { entries, expiring: undefined };
  const Expiring = descriptor.kind === 'list' ? ExpiringLists : ExpiringEntries;
  const expiring = new Expiring(clock, entries, tableId(`ttl-${kind}`, operator, name), ttl);
  return { entries: expiring, expiring };
};

function ofEachItem(kind: StateDescriptorShape['kind'], migrate: Migrate): Migrate {
  return kind === 'list' ? (old, version) => (old as readonly unknown[]).map((item) => migrate(item, version)) : migrate;
}
