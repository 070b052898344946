import { MillraceError } from '../../functions/shared/errors.ts';
import type { TopicLimits } from './partition-log.ts';

/** What a topic was made with, in its folder. */
export interface TopicFile {
  readonly partitions: number;
  readonly limits: Partial<TopicLimits>;
}

const FORMAT = 1;
/** More than a plan can ask for; each has a folder. */
const MAX_PARTITIONS = 100_000;

export function encodeTopic(topic: TopicFile): string {
  return `${JSON.stringify({ format: FORMAT, ...topic })}\n`;
}

/** @throws MILLRACE_DATA_INVALID */
export function parseTopic(name: string, text: string): TopicFile {
  const { format, partitions, limits } = parseFields(text);
  if (typeof format === 'number' && format !== FORMAT)
    throw new MillraceError('MILLRACE_DATA_INVALID', `topic ${name} was written by another version of Millrace (format ${format})`);
  if (format === FORMAT && isSize(partitions) && partitions <= MAX_PARTITIONS && areLimits(limits)) return { partitions, limits };
  throw new MillraceError('MILLRACE_DATA_INVALID', `the log's file about topic ${name} is damaged; start with another --data`);
}

function parseFields(text: string): Readonly<Record<string, unknown>> {
  try {
    return (JSON.parse(text) as Readonly<Record<string, unknown>> | null) ?? {};
  } catch {
    return {};
  }
}

function areLimits(value: unknown): value is Partial<TopicLimits> {
  return typeof value === 'object' && value !== null && Object.values(value).every(isSize);
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && value >= 0;
}
