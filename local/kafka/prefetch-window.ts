import type { EventMessage, EventPart, KafkaEventText } from '../emulator/kafka-event-text.ts';
import type { Backlog, InputPartition } from '../emulator/mapping-input.ts';

/** More than the largest event holds, so that a batch may be full by its bytes. */
const FULL_BYTES = 6 * 1024 * 1024;
/** What a consumed window shrinks to before it is filled again. */
const LOW_BYTES = FULL_BYTES / 2;
/** Messages that are through are dropped from the list when there are so many of them. */
const COMPACT_AT = 1000;

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
 * A partition of a Kafka topic: a bounded list of messages that have been fetched ahead, while the partition is ours. Offsets may have
 * gaps (compaction, transactions).
 */
export class PrefetchWindow implements InputPartition {
  readonly topic: string;
  readonly partition: number;
  private readonly owner: WindowOwner;
  private messages: EventMessage[] = [];
  /** Index of the first message that is not through. */
  private head = 0;
  private bytes = 0;
  /** Next offset to take; undefined while the partition is somebody else's. */
  private next: number | undefined;
  private position = 0;
  /** Counts the times that the partition became ours. */
  tenure = 0;
  private highWatermark = 0;
  private isPaused = false;
  private acknowledged: number | undefined;
  private readonly listeners = new Set<() => void>();
  private readonly commitListeners = new Set<() => void>();

  constructor(owner: WindowOwner, topic: string, partition: number) {
    this.owner = owner;
    this.topic = topic;
    this.partition = partition;
  }

  get isOurs(): boolean {
    return this.next !== undefined;
  }

  get lag(): number {
    return this.isOurs ? Math.max(0, this.highWatermark - this.position) : 0;
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

  /** Takes fetched messages, in order; those below what it has are known. */
  push(fetched: readonly EventMessage[], highWatermark: number): void {
    if (this.next === undefined) return;
    this.highWatermark = Math.max(this.highWatermark, highWatermark);
    for (const message of fetched) {
      if (message.offset < this.next) continue;
      this.messages.push(message);
      this.bytes += message.bytes;
      this.next = message.offset + 1;
    }
    if (this.bytes >= FULL_BYTES && !this.isPaused) {
      this.isPaused = true;
      this.owner.pause(this.topic, this.partition);
    }
    this.tell(this.listeners);
  }

  /** The cluster knows that the group has come this far. */
  acknowledge(offset: number): void {
    if (!this.isOurs) return;
    this.acknowledged = Math.max(this.acknowledged ?? 0, offset);
    this.tell(this.commitListeners);
  }

  backlog(): Backlog | undefined {
    const first = this.messages[this.head];
    return first && { records: this.messages.length - this.head, bytes: this.bytes, oldestTime: first.timestamp };
  }

  addTo(event: KafkaEventText, maxRecords: number): void {
    event.addMessages(this, this.messages, this.head, maxRecords);
  }

  holds(part: EventPart): boolean {
    return this.isOurs && part.tenure === this.tenure;
  }

  read(part: EventPart): readonly EventMessage[] {
    return this.holds(part) ? this.messages.slice(this.head).filter(({ offset }) => offset < part.to) : [];
  }

  commit(part: EventPart, offset: number): void {
    if (!this.holds(part)) return;
    this.position = offset;
    for (let message = this.messages[this.head]; message && message.offset < offset; message = this.messages[this.head]) {
      this.bytes -= message.bytes;
      this.head++;
    }
    if (this.head >= COMPACT_AT || this.head === this.messages.length) {
      this.messages = this.messages.slice(this.head);
      this.head = 0;
    }
    if (this.isPaused && this.bytes < LOW_BYTES) this.resume();
    this.owner.commit(this.topic, this.partition, offset);
  }

  endOffset(): Promise<number> {
    return this.owner.endOffset(this.topic, this.partition);
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

  private clear(): void {
    this.messages = [];
    this.head = 0;
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
