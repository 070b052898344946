import type { DeltaEntry, Fence, ImageEntry } from './fence.ts';

/** When a task is compacted, and in what portions. */
export interface CompactionLimits {
  /** Deltas that a fence names at most, roughly, in number; and in bytes half of its images, but not below `minCompactionBytes`. */
  readonly maxDeltas: number;
  readonly minCompactionBytes: number;
  /** Of the images that one commit may be followed by: a large state is rewritten fragment by fragment. */
  readonly portionBytes: number;
}

/**
 * The fragments that should get new images now, none if it is too early. All that the deltas touch, if their images are small; else those that
 * have waited longest, so that no batch waits for the whole state to be written.
 */
export function dueFragments(fence: Fence, { maxDeltas, minCompactionBytes, portionBytes }: CompactionLimits): ReadonlySet<number> {
  const stale = [...staleFragments(fence)];
  const imageBytes = bytesOf(fence.images);
  const portions = Math.max(1, Math.min(stale.length, Math.ceil(imageBytes / portionBytes)));
  const last = fence.images.reduce((seq, image) => Math.max(seq, image.seq), 0);
  const added = fence.deltas.filter(({ seq }) => seq > last);
  const isDue = added.length * portions >= maxDeltas || bytesOf(added) * portions > Math.max(minCompactionBytes, imageBytes / 2);
  return new Set(isDue ? stale.slice(0, Math.ceil(stale.length / portions)) : []);
}

/** What the fence names when `written` are images of the state at its `seq`. */
export function compacted(fence: Fence, written: readonly ImageEntry[]): Pick<Fence, 'images' | 'deltas' | 'imageSeq'> {
  const fresh = new Set(written.map(({ fragment }) => fragment));
  const images = [...fence.images.filter(({ fragment }) => !fresh.has(fragment)), ...written];
  const seqs = seqsOf(images);
  const first = fence.deltas.findIndex((delta) => !isCovered(delta, seqs));
  const deltas = first < 0 ? [] : fence.deltas.slice(first);
  return { images, deltas, imageSeq: fence.seq - deltas.length };
}

/** Fragments that a delta touches which their images don't hold: the one with the oldest such delta first. */
export function staleFragments({ images, deltas }: Fence): ReadonlySet<number> {
  const seqs = seqsOf(images);
  const stale = new Set<number>();
  for (const { seq, fragments } of deltas) for (const fragment of fragments) if (seq > (seqs.get(fragment) ?? 0)) stale.add(fragment);
  return stale;
}

function isCovered({ seq, fragments }: DeltaEntry, seqs: ReadonlyMap<number, number>): boolean {
  return fragments.every((fragment) => seq <= (seqs.get(fragment) ?? 0));
}

function seqsOf(images: readonly ImageEntry[]): Map<number, number> {
  return new Map(images.map(({ fragment, seq }) => [fragment, seq]));
}

function bytesOf(entries: readonly { readonly bytes: number }[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes, 0);
}
