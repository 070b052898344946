import type { BatchMetrics } from '../functions/runtime/metrics.ts';
import type { InvocationResult } from './emulator/function-emulator.ts';
import type { EventPart } from './emulator/kafka-event-builder.ts';
import { LatencyHistogram } from './latency-histogram.ts';

/** What the functions of one stage have done in this run, summed over their batches. */
export class StageCounters {
  recordsIn = 0;
  recordsOut = 0;
  bytesIn = 0;
  bytesOut = 0;
  invocations = 0;
  failures = 0;
  duplicates = 0;
  deadLetters = 0;
  recordRetries = 0;
  lateRecords = 0;
  conflicts = 0;
  gaps = 0;
  coldStates = 0;
  /** Last watermark of each task, by its partition. */
  private readonly watermarks = new Map<string, number>();
  /** Wall ms spent in invocations, over all environments. */
  busyMs = 0;
  /** `performance.now()` of the first delivery's start and the last one's end. */
  firstAt: number | undefined;
  lastAt: number | undefined;
  /** The same of the last one that applied or sent on a record. */
  lastRecordAt: number | undefined;
  /** From the log append at the source to the end of this stage's invocation. */
  readonly sinceSource = new LatencyHistogram();
  /** From the append to this stage's input to the end of its invocation. */
  readonly sinceInput = new LatencyHistogram();

  /** Counts an invocation that has just ended; `now` is wall time, as log append times are. */
  count(result: InvocationResult, parts: readonly EventPart[], now: number): void {
    this.invocations++;
    this.busyMs += result.durationMs;
    this.lastAt = performance.now();
    this.firstAt ??= this.lastAt - result.durationMs;
    if (result.error) this.failures++;
    for (const metrics of result.metrics) this.countBatch(metrics, now);
    if (result.metrics.some(({ recordsIn, recordsOut }) => recordsIn + recordsOut > 0)) this.lastRecordAt = this.lastAt;
    if (!result.error)
      for (const { records, firstTime, lastTime } of parts) this.sinceInput.addRange(now - firstTime, now - lastTime, records);
  }

  /** The minimum over all tasks, as far as this run has seen them; −∞ while it has not seen all `tasks`. */
  watermark(tasks: number): number {
    return this.watermarks.size < tasks ? -Infinity : Math.min(...this.watermarks.values());
  }

  private countBatch(metrics: BatchMetrics, now: number): void {
    this.recordsIn += metrics.recordsIn;
    this.recordsOut += metrics.recordsOut;
    this.bytesIn += metrics.bytesIn;
    this.bytesOut += metrics.bytesOut;
    this.duplicates += metrics.duplicates;
    this.deadLetters += metrics.deadLetters;
    this.recordRetries += metrics.retries;
    this.lateRecords += metrics.lateRecords;
    this.conflicts += metrics.conflicts;
    this.gaps += metrics.gaps;
    if (metrics.coldState) this.coldStates++;
    const task = `${metrics.topic}-${metrics.partition}`;
    // A batch that came again, or failed, says less than the one before it.
    this.watermarks.set(task, Math.max(metrics.watermark, this.watermarks.get(task) ?? -Infinity));
    for (const [earliest, latest, count] of metrics.ingest) {
      // What a timer emits at the end of the input has no source record; a frame may hold both.
      if (latest > 0) this.sinceSource.addRange(now - (earliest > 0 ? earliest : latest), now - latest, count);
    }
  }
}
