import type { InvocationResult } from './function-emulator.ts';
import type { EventPart } from './kafka-event-builder.ts';

/** What a mapping makes of an invocation: the offset to commit for each part of the event, or why the whole batch must come again. */
export type BatchVerdict =
  | { readonly kind: 'done'; readonly commits: readonly number[]; readonly isWhole: boolean }
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * Reads a function's answer as Lambda's mapping does. Without partial batch responses only an error counts: a returned
 * `batchItemFailures` is success, and the records are lost if the function meant otherwise.
 */
export function judgeBatch(result: InvocationResult, parts: readonly EventPart[], honorsPartial: boolean): BatchVerdict {
  if (result.error) return { kind: 'failed', reason: `${result.error.errorType}: ${result.error.errorMessage}` };
  const failures = honorsPartial ? parseFailures(result.payload) : [];
  if (!failures) return { kind: 'failed', reason: `the function answered ${result.payload.slice(0, 200)}, which is no batch response` };
  const commits = parts.map(({ to }) => to);
  for (const { partition, offset } of failures) {
    const index = parts.findIndex((part) => `${part.topic}-${part.partition}` === partition && offset >= part.from && offset < part.to);
    if (index < 0) return { kind: 'failed', reason: `the function named ${partition} offset ${offset}, which was not in the batch` };
    commits[index] = Math.min(commits[index] ?? offset, offset);
  }
  const hasProgress = commits.some((commit, i) => commit > (parts[i]?.from ?? 0));
  if (!hasProgress) return { kind: 'failed', reason: 'the function named the first record of the batch as failed' };
  return { kind: 'done', commits, isWhole: failures.length === 0 };
}

interface Failure {
  readonly partition: string;
  readonly offset: number;
}

/** The items that failed: none for null, `{}` and an empty list; undefined if the answer has another shape. */
function parseFailures(payload: string): readonly Failure[] | undefined {
  const answer = JSON.parse(payload) as { batchItemFailures?: unknown } | null;
  const list = answer?.batchItemFailures ?? [];
  if (!Array.isArray(list)) return undefined;
  const failures: Failure[] = [];
  for (const item of list as readonly ({ itemIdentifier?: { partition?: unknown; offset?: unknown } } | null)[]) {
    const { partition, offset } = item?.itemIdentifier ?? {};
    if (typeof offset !== 'number' || typeof partition !== 'string') return undefined;
    failures.push({ partition, offset });
  }
  return failures;
}
