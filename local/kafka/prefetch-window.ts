import type { EventMessage, EventRecords } from '../emulator/event-records.ts';
import type { EventPart, KafkaEventBuilder } from '../emulator/kafka-event-builder.ts';
import type { Backlog, InputPartition } from '../emulator/mapping-input.ts';

/** More than the largest event holds, so that a batch may be full by its bytes. */
const FULL_BYTES = 6 * 1024 * 1024;
/** What a consumed window shrinks to before it is filled again. */
const LOW_BYTES = FULL_BYTES / 2;

/** Fetched records, of which those from index `from` on are not through. */
interface Fetched {
  readonly records: EventRecords;
  from: number;
  /** Of the records, so many are to be read. */
  readonly count: number;
}

/** What a window needs of the reader that fills it. */
export interface WindowOwner {
  /** No more of this partition for now; or on with it. */
  pause(topic: string, partition: number): void;
  resume(topic: string, partition: number): void;
  /** All below `offset` is through: to be committed soon. */
  commit(topic: string, partition: number, offset: number): void;
  endOffset(topic: string, partition: number): Promise<number>;
  committedOffset(topic: string, partition: number): Promise<number>;
}

/**
 * A partition of a Kafka topic: a bounded list of records that have been fetched ahead, while the partition is ours. Offsets may have
 * gaps (compaction, transactions).
 */
export class PrefetchWindow implements InputPartition {
  readonly topic: string;
  readonly partition: number;
  private readonly owner: WindowOwner;
  private fetched: Fetched[] = [];
  /** Of what is not through. */
  private records = 0;
  private bytes = 0;
  /** Next offset to take; undefined while the partition is somebody else's. */
  private next: number | undefined;
  private position = 0;
  /** Counts the times that the partition became ours. */
  tenure = 0;
  private highWatermark = 0;
  /** Reading ends before this offset. */
  private readonly stop: number;
  private isPaused = false;
  private acknowledged: number | undefined;
  private readonly listeners = new Set<() => void>();
  private readonly commitListeners = new Set<() => void>();

  constructor(owner: WindowOwner, topic: string, partition: number, stop = Infinity) {
    this.owner = owner;
    this.topic = topic;
    this.partition = partition;
    this.stop = stop;
  }

  get isOurs(): boolean {
    return this.next !== undefined;
  }

  get lag(): number {
    return this.isOurs ? Math.max(0, Math.min(this.highWatermark, this.stop) - this.position) : 0;
  }

  /** The partition is ours from now on, to be read from `position`. */
  grant(position: number): void {
    this.clear();
    this.tenure++;
    this.next = position;
    this.position = position;
    this.acknowledged = position;
    if (this.isPaused) this.resume();
    this.tell(this.commitListeners);
  }

  /** Somebody else gets it: a batch under way may end, and counts for nothing. */
  revoke(): void {
    this.clear();
    this.next = undefined;
    this.acknowledged = undefined;
  }

  /**
   * Takes fetched records, in order; those below what it has are known.
   *
   * @param end - Offset behind them and whatever follows that is not for readers: markers of transactions, and what was aborted.
   */
  push(records: EventRecords, end: number, highWatermark: number): void {
    if (this.next === undefined) return;
    this.highWatermark = Math.max(this.highWatermark, highWatermark);
    let { count } = records;
    while (count > 0 && records.offsetAt(count - 1) >= this.stop) count--;
    let from = 0;
    while (from < count && records.offsetAt(from) < this.next) from++;
    if (from < count) this.fetched.push({ records, from, count });
    this.next = Math.max(this.next, end);
    this.records += count - from;
    for (let i = from; i < count; i++) this.bytes += records.bytesAt(i);
    if ((this.bytes >= FULL_BYTES || this.next >= this.stop) && !this.isPaused) {
      this.isPaused = true;
      this.owner.pause(this.topic, this.partition);
    }
    this.passOver();
    this.tell(this.listeners);
  }

  /** The cluster knows that the group has come this far. */
  acknowledge(offset: number): void {
    if (!this.isOurs) return;
    this.acknowledged = Math.max(this.acknowledged ?? 0, offset);
    this.tell(this.commitListeners);
  }

  backlog(): Backlog | undefined {
    const [first] = this.fetched;
    return first && { records: this.records, bytes: this.bytes, oldestTime: first.records.timeAt(first.from) };
  }

  addTo(event: KafkaEventBuilder, maxRecords: number): void {
    event.addRecords(this, this.fetched, maxRecords);
  }

  holds(part: EventPart): boolean {
    return this.isOurs && part.tenure === this.tenure;
  }

  read(part: EventPart): readonly EventMessage[] {
    const messages: EventMessage[] = [];
    if (!this.holds(part)) return messages;
    for (const { records, from, count } of this.fetched)
      for (let i = from; i < count && records.offsetAt(i) < part.to; i++) messages.push(records.messageAt(i));
    return messages;
  }

  commit(part: EventPart, offset: number): void {
    if (!this.holds(part)) return;
    this.dropBelow(offset);
    if (this.isPaused && this.bytes < LOW_BYTES && (this.next ?? 0) < this.stop) this.resume();
    this.moveTo(this.fetched.length === 0 ? Math.max(offset, Math.min(this.next ?? 0, this.stop)) : offset);
  }

  async endOffset(): Promise<number> {
    return Math.min(this.stop, await this.owner.endOffset(this.topic, this.partition));
  }

  committedOffset(): Promise<number> {
    const { acknowledged } = this;
    return acknowledged === undefined ? this.owner.committedOffset(this.topic, this.partition) : Promise.resolve(acknowledged);
  }

  watch(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  watchCommits(listener: () => void): () => void {
    this.commitListeners.add(listener);
    return () => this.commitListeners.delete(listener);
  }

  /** Whoever waits for commits shall look again: of a partition that is not ours nobody tells us. */
  remind(): void {
    if (!this.isOurs) this.tell(this.commitListeners);
  }

  /** Behind the last record there may be markers: who has read all else has read them, too. */
  private passOver(): void {
    const passed = Math.min(this.next ?? 0, this.stop);
    if (this.fetched.length === 0 && passed > this.position) this.moveTo(passed);
  }

  private moveTo(offset: number): void {
    this.position = offset;
    this.owner.commit(this.topic, this.partition, offset);
  }

  private dropBelow(offset: number): void {
    for (let [first] = this.fetched; first; [first] = this.fetched) {
      const { records, count } = first;
      for (; first.from < count && records.offsetAt(first.from) < offset; first.from++) {
        this.bytes -= records.bytesAt(first.from);
        this.records--;
      }
      if (first.from < count) return;
      this.fetched.shift();
    }
  }

  private clear(): void {
    this.fetched = [];
    this.records = 0;
    this.bytes = 0;
  }

  private resume(): void {
    this.isPaused = false;
    this.owner.resume(this.topic, this.partition);
  }

  private tell(listeners: ReadonlySet<() => void>): void {
    for (const listener of [...listeners]) listener();
  }
}
