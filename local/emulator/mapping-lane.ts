import { isMillraceError } from '../../functions/shared/errors.ts';
import type { OutgoingMessage } from '../../functions/channels/channel-writer.ts';
import { judgeBatch, type BatchVerdict } from './batch-response.ts';
import type { MappingContext } from './event-source-mapping.ts';
import type { InvocationResult } from './function-emulator.ts';
import { KafkaEventBuilder, type EventPart } from './kafka-event-builder.ts';
import type { PackedEvent } from './packed-event.ts';
import type { InputPartition } from './mapping-input.ts';

/** Base64 makes four characters of three bytes. */
const BASE64_GROWTH = 4 / 3;

/** Partitions that share invocations: one, or all of a mapping that mixes them. One batch is in flight at a time. */
export class MappingLane {
  private readonly partitions: readonly InputPartition[];
  private readonly context: MappingContext;
  /** Of all its batches; owns their slots. */
  private readonly environment: string;
  private wake: (() => void) | undefined;
  private readonly stopWatching: readonly (() => void)[];

  constructor(partitions: readonly InputPartition[], environment: string, context: MappingContext) {
    this.partitions = partitions;
    this.environment = environment;
    this.context = context;
    const wake = (): void => this.wake?.();
    this.stopWatching = [...partitions.map((partition) => partition.watch(wake)), context.input.watchRoom(wake)];
  }

  /** Delivers batches until the mapping closes. */
  async run(): Promise<void> {
    while (await this.waitForBatch()) {
      const event = this.nextEvent();
      if (event.parts.length > 0) await this.deliver(event.event(), event.parts);
      // While it waited for the slot, another member of the group got the partition.
      else this.context.slots.release(this.environment);
      event.release();
    }
    for (const stop of this.stopWatching) stop();
  }

  /** Looks again at whether to deliver: something about the mapping has changed. */
  nudge(): void {
    this.wake?.();
  }

  /** Resolves with a slot taken when there is a batch to deliver; false when the mapping closes. */
  private async waitForBatch(): Promise<boolean> {
    for (;;) {
      if (this.context.state() === 'closing') return false;
      const delay = this.mayInvoke() ? this.delay() : Infinity;
      if (delay <= 0) return this.acquire();
      await this.sleep(delay);
    }
  }

  /** Resolves with a slot taken when the function may be invoked; false when the mapping closes. */
  private async acquire(): Promise<boolean> {
    const { context } = this;
    for (;;) {
      if (context.state() === 'closing') return false;
      if (!this.mayInvoke()) {
        await this.sleep(Infinity);
        continue;
      }
      await context.slots.acquire(this.environment, context.priority);
      if (this.mayInvoke()) return true;
      context.slots.release(this.environment);
    }
  }

  /** Not while there is no room for what the function writes. It must not wait for room itself: it would keep its slot meanwhile. */
  private mayInvoke(): boolean {
    const { context } = this;
    return context.state() === 'enabled' && !context.input.isHeldBack();
  }

  /** Ms until a batch is due: 0 if it is full, or nothing more is to be expected; ∞ without records. */
  private delay(): number {
    const { batchSize, windowMs, maxPayloadBytes, clock } = this.context;
    let [records, bytes, oldest] = [0, 0, Infinity];
    for (const partition of this.partitions) {
      const backlog = partition.backlog();
      if (!backlog) continue;
      records += backlog.records;
      bytes += backlog.bytes;
      oldest = Math.min(oldest, backlog.oldestTime);
    }
    if (records === 0) return Infinity;
    if (records >= batchSize || bytes * BASE64_GROWTH >= maxPayloadBytes || this.context.isHurried()) return 0;
    return Math.max(0, oldest + windowMs - clock.now());
  }

  private sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = ms === Infinity ? undefined : this.context.clock.after(ms, () => this.wake?.());
      this.wake = () => {
        this.wake = undefined;
        cancel?.();
        resolve();
      };
    });
  }

  private nextEvent(): KafkaEventBuilder {
    const { input, maxPayloadBytes, batchSize } = this.context;
    const event = new KafkaEventBuilder(input.bootstrapServers, maxPayloadBytes);
    for (const partition of this.partitions) if (event.recordCount < batchSize) partition.addTo(event, batchSize - event.recordCount);
    return event;
  }

  /** Invokes the function with one batch, whose slot is taken, until it is through, given up, no longer ours, or the mapping closes. */
  private async deliver(event: PackedEvent, parts: readonly EventPart[]): Promise<void> {
    const { context } = this;
    for (let failures = 0; ;) {
      const result = await this.invoke(event);
      if (result) {
        const verdict = judgeBatch(result, parts, context.partialBatchResponse);
        context.onInvocation(result, parts, verdict);
        if (this.settle(verdict, parts)) return;
        failures++;
        if (context.maxRetries >= 0 && failures > context.maxRetries) {
          await this.giveUp(parts, verdict);
          return;
        }
        context.stats.retries++;
      }
      if (!(await this.backOff(failures)) || !(await this.acquire())) return;
      if (!parts.every((part) => this.partitionOf(part).holds(part))) {
        context.slots.release(this.environment);
        return;
      }
    }
  }

  /** One invocation; undefined if it was throttled. Gives the slot back. */
  private async invoke(event: PackedEvent): Promise<InvocationResult | undefined> {
    const { context } = this;
    try {
      return await context.invoke(event, this.environment);
    } catch (error) {
      if (!isMillraceError(error, 'MILLRACE_FUNCTION_THROTTLED')) throw error;
      context.stats.throttles++;
      return undefined;
    } finally {
      context.slots.release(this.environment);
    }
  }

  /** Commits what is through; false if the whole batch must come again. */
  private settle(verdict: BatchVerdict, parts: readonly EventPart[]): boolean {
    const { stats } = this.context;
    if (verdict.kind === 'failed') {
      stats.lastFailure = verdict.reason;
      return false;
    }
    stats.batches++;
    if (!verdict.isWhole) stats.retries++;
    parts.forEach((part, i) => {
      const commit = verdict.commits[i] ?? part.from;
      stats.bytes += part.bytes * ((commit - part.from) / (part.to - part.from));
      stats.records += commit === part.to ? part.records : Math.min(part.records, commit - part.from);
      this.partitionOf(part).commit(part, commit);
    });
    return true;
  }

  private partitionOf({ topic, partition }: EventPart): InputPartition {
    return this.partitions.find((one) => one.topic === topic && one.partition === partition) as InputPartition;
  }

  /** Waits before the next attempt, twice as long each time; false if the mapping closes meanwhile. */
  private async backOff(failures: number): Promise<boolean> {
    const { context } = this;
    const { backOff, clock } = context;
    const end = clock.now() + Math.min(backOff.maxMs, backOff.firstMs * 2 ** Math.max(0, failures - 1));
    for (;;) {
      const left = end - clock.now();
      if (context.state() === 'closing') return false;
      if (context.state() === 'enabled' && left <= 0) return true;
      await this.sleep(left > 0 ? left : Infinity);
    }
  }

  /** Puts the records of a batch that keeps failing into the on-failure topic, and goes on behind them. */
  private async giveUp(parts: readonly EventPart[], verdict: BatchVerdict): Promise<void> {
    const { context } = this;
    context.stats.givenUp++;
    for (const part of parts) {
      const reason = verdict.kind === 'failed' ? verdict.reason : '';
      await context.toFailureTopic(part, this.failed(part, reason));
      this.partitionOf(part).commit(part, part.to);
    }
  }

  private failed(part: EventPart, reason: string): OutgoingMessage[] {
    const messages = this.partitionOf(part).read(part);
    return messages.map(({ key, value, headers, offset }) => {
      const origin = {
        'millrace-topic': part.topic,
        'millrace-partition': part.partition,
        'millrace-offset': offset,
        'millrace-error': reason,
      };
      const added = Object.entries(origin).map(([name, text]) => [name, Buffer.from(String(text))] as const);
      return { key, value, headers: [...headers, ...added] };
    });
  }
}
