import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MillraceError } from '../../functions/shared/errors.ts';
import type { FoundMessage, PartitionRange, TopicMessage } from '../kafka/topic-reader.ts';
import { PartitionFiles } from './partition-files.ts';
import type { Segment } from './segment.ts';
import { parseTopic } from './topic-file.ts';

/**
 * Calls `onMessage` for each message of a topic in the folder of `--data`, partition by partition. Nothing is written, and a run may be
 * at work: what it appends meanwhile may be seen or not; an append is seen whole or not at all, a transaction perhaps in part.
 *
 * @throws MILLRACE_TOPIC_MISSING, MILLRACE_DATA_INVALID
 */
export function readTopicFiles(dataDir: string, topic: string, onMessage: (message: TopicMessage) => void): PartitionRange[] {
  const { path, partitions } = openTopic(dataDir, topic);
  return Array.from({ length: partitions }, (_, partition) => readPartition(join(path, String(partition)), partition, onMessage));
}

/**
 * One message of a topic in the folder of `--data`, and what its partition holds; neither where there is no such partition.
 *
 * @throws MILLRACE_TOPIC_MISSING, MILLRACE_DATA_INVALID
 */
export function readTopicMessage(dataDir: string, topic: string, partition: number, offset: number): FoundMessage {
  const folder = openTopic(dataDir, topic);
  if (partition >= folder.partitions) return { message: undefined, range: undefined };
  const path = join(folder.path, String(partition));
  const files = existsSync(path) ? new PartitionFiles(path) : undefined;
  const bases = files?.list() ?? [];
  const last = lastSegment(files, bases);
  const high = last?.endOffset ?? 0;
  const range = { partition, low: Math.min(bases[0] ?? 0, high), high };
  const base = bases.findLast((one) => one <= offset);
  const segment = base === last?.baseOffset ? last : base !== undefined && files ? readIfThere(files, base) : undefined;
  const index = offset - (segment?.baseOffset ?? 0);
  const found = segment !== undefined && index >= 0 && index < segment.count;
  return { message: found ? { partition, ...segment.record(index) } : undefined, range };
}

function lastSegment(files: PartitionFiles | undefined, bases: readonly number[]): Segment | undefined {
  const last = bases.at(-1);
  return files && last !== undefined ? readIfThere(files, last) : undefined;
}

function openTopic(dataDir: string, topic: string): { readonly path: string; readonly partitions: number } {
  const path = join(dataDir, 'topics', topic);
  const description = join(path, 'topic.json');
  if (!existsSync(description))
    throw new MillraceError('MILLRACE_TOPIC_MISSING', `there is no topic ${topic} in the data folder ${dataDir}`);
  return { path, partitions: parseTopic(topic, readFileSync(description, 'utf8')).partitions };
}

function readPartition(folder: string, partition: number, onMessage: (message: TopicMessage) => void): PartitionRange {
  if (!existsSync(folder)) return { partition, low: 0, high: 0 };
  const files = new PartitionFiles(folder);
  let [low, high] = [Infinity, 0];
  for (const baseOffset of files.list()) {
    const segment = readIfThere(files, baseOffset);
    if (!segment) continue;
    low = Math.min(low, baseOffset);
    high = segment.endOffset;
    for (let i = 0; i < segment.count; i++) onMessage({ partition, ...segment.record(i) });
  }
  return { partition, low: Math.min(low, high), high };
}

/** Undefined if a run that is at work has dropped it since. */
function readIfThere(files: PartitionFiles, baseOffset: number): Segment | undefined {
  try {
    return files.read(baseOffset);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
