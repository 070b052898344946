import type { BatchOutputs } from './batch-outputs.ts';
import type { InputBatch } from './kafka-event.ts';
import type { BatchMetrics, Ingest } from './metrics.ts';

/** Counts of one batch of one partition, in the making. */
export class TaskCounters {
  recordsIn = 0;
  recordsOut = 0;
  bytesOut = 0;
  duplicates = 0;
  deadLetters = 0;
  retries = 0;
  lateRecords = 0;
  conflicts = 0;
  gaps = 0;
  tombstones = 0;
  coldState = false;
  watermark = -Infinity;
  readonly ingest: Ingest[] = [];
  readonly keys = new Set<string>();

  countOutputs(outputs: BatchOutputs): void {
    this.recordsOut += outputs.recordsOut;
    this.bytesOut += outputs.bytesOut;
    this.deadLetters += outputs.deadLetters.length;
  }

  metrics(pipeline: string, stage: string, batch: InputBatch, durationMs: number): BatchMetrics {
    const { topic, partition, messages } = batch;
    const {
      recordsIn,
      recordsOut,
      bytesOut,
      duplicates,
      deadLetters,
      retries,
      lateRecords,
      conflicts,
      gaps,
      tombstones,
      coldState,
      watermark,
      ingest,
    } = this;
    return {
      pipeline,
      stage,
      topic,
      partition,
      firstOffset: messages[0]?.offset ?? 0,
      lastOffset: messages.at(-1)?.offset ?? 0,
      bytesIn: messages.reduce((sum, { size }) => sum + size, 0),
      ...{
        recordsIn,
        recordsOut,
        bytesOut,
        duplicates,
        deadLetters,
        retries,
        lateRecords,
        conflicts,
        gaps,
        tombstones,
        coldState,
        ingest,
        watermark,
      },
      keys: [...this.keys],
      durationMs,
    };
  }
}
