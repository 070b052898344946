import { type FrameReader, openFrame } from '../../functions/codec/frame-reader.ts';
import { channelTopic } from '../../functions/graph/names.ts';
import type { PipelinePlan, StagePlan } from '../../functions/graph/stage-plan.ts';
import { readReplayed } from '../../functions/runtime/replayed-record.ts';
import { MillraceError } from '../../functions/shared/errors.ts';
import { describeOrigin, ORIGIN_HEADER, parseOrigin, type TaskOrigin } from '../../functions/shared/origin.ts';
import type { TopicMessage } from '../kafka/topic-reader.ts';
import { type PayloadView, viewPayload } from './dead-letter.ts';
import { toJsonView } from './json-view.ts';
import type { LogReader } from './log-reader.ts';

/** A place in the log. */
export interface LogPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

interface MessagePlace extends LogPlace {
  /** In ms. */
  readonly timestamp: number;
}

interface Payload {
  readonly key: PayloadView;
  readonly value: PayloadView;
}

/** What was asked about: a sink's message or a dead letter. */
export interface OutputHop extends MessagePlace, Payload {
  readonly kind: 'output';
  readonly origin: string;
}

/** A record of a channel. */
export interface RecordHop extends MessagePlace, Payload {
  readonly kind: 'record';
  /** The stage that read it. */
  readonly stage: string;
  /** Its place in its frame, and the number of records there. */
  readonly position: number;
  readonly count: number;
  /** Its event time, in ms. */
  readonly eventTime?: number;
  readonly origin: string;
}

/** A message of a source. */
export interface SourceHop extends MessagePlace, Payload {
  readonly kind: 'source';
  readonly stage: string;
  readonly source: string;
  /** Its place in a source that a feeder reads, from 0. */
  readonly record?: number;
  /** The output came from a timer that this message fired: with its event time or with its log time. */
  readonly fired?: 'event timer' | 'processing timer';
  /** Where the message came from, if a pipeline wrote it with lineage. */
  readonly origin?: string;
}

/** An event timer was fired by a watermark of a frame, which no single record made. */
export interface WatermarkHop extends MessagePlace {
  readonly kind: 'watermark';
  readonly stage: string;
  /** In ms; as text +∞, the end of the input. */
  readonly watermark: number | 'Infinity';
  /** The task that sent it. */
  readonly from: string;
  /** Origins of the records before and behind it: it rose with input between the two. */
  readonly after?: string;
  readonly before?: string;
}

/** A processing timer was fired by the log time of a frame. */
export interface ArrivalHop extends MessagePlace {
  readonly kind: 'arrival';
  readonly stage: string;
  /** The task that sent the frame, or the clock. */
  readonly from: string;
}

/** A timer was fired by the end of a source's input. */
export interface EndHop extends LogPlace {
  readonly kind: 'end';
  readonly stage: string;
  readonly source: string;
}

export type Hop = OutputHop | RecordHop | SourceHop | WatermarkHop | ArrivalHop | EndHop;

/** A hop, and where to go on from there. */
interface Step {
  readonly hop: Hop;
  readonly next: TaskOrigin | undefined;
}

/**
 * Goes from a message that a sink wrote with `lineage: true`, or a dead letter, back to the message of a source that caused it, hop by hop.
 *
 * @throws MILLRACE_MESSAGE_MISSING, MILLRACE_LINEAGE_MISSING, MILLRACE_PLAN_MISMATCH, MILLRACE_TOPIC_MISSING
 */
export async function* traceLineage(plan: PipelinePlan, log: LogReader, start: LogPlace): AsyncGenerator<Hop> {
  const message = await findMessage(log, start);
  const first = startingStep(plan, start.topic, message);
  yield first.hop;
  // Stages feed each other in no circle; only a forged header could lead into one.
  const left = new Set(plan.stages);
  for (let origin = first.next; origin;) {
    const stage = stageOf(plan, origin);
    if (!stage) throw foreign(plan, origin);
    if (!left.delete(stage)) throw lineageMissing(`the headers lead back to stage ${stage.id} twice; one of them is not Millrace's`);
    const { hop, next }: Step =
      stage.input.kind === 'channel' ? await frameStep(log, stage, origin) : await sourceStep(plan, log, stage, origin);
    yield hop;
    origin = next;
  }
}

function startingStep(plan: PipelinePlan, topic: string, message: TopicMessage): Step {
  const channel = plan.channels.find((one) => one.topic === topic);
  if (channel) {
    throw lineageMissing(
      `topic ${topic} is the channel of stage ${channel.id}, and its messages hold many records each; ask about a message of a sink, or a dead letter`,
    );
  }
  const origin = headerOf(message, ORIGIN_HEADER);
  if (origin === undefined) {
    throw lineageMissing(
      `the message at ${placeOf({ topic, ...message })} has no header ${ORIGIN_HEADER}: it was written without lineage. ` +
        'Give the sink lineage: true; what it writes from then on can be followed',
    );
  }
  const kind = topic === plan.deadLetterTopic ? headerOf(message, 'millrace-kind') : undefined;
  const parsed = parseOrigin(origin);
  const at = parsed && kind === 'message' ? { ...parsed, ordinal: recordOrdinal(plan, parsed) } : parsed;
  if (!at) throw lineageMissing(`the message at ${placeOf({ topic, ...message })} has the origin '${origin}', which names no record`);
  return { hop: { kind: 'output', ...viewMessage(topic, message, kind), origin }, next: at };
}

/** A dead letter of a source's message names the message, not an output of it. */
function recordOrdinal(plan: PipelinePlan, origin: TaskOrigin): number {
  return stageOf(plan, origin)?.fenced === true ? SOURCE_RECORD : 0;
}

/**
 * Ordinals of a message's steps, in order of time. Of a stage with a fence: 0, its log time; in a channel 2p+1, the watermark step at
 * position p, and 2p+2, the record there; of a source 2, the record, and 3, its watermark. Of a stage without a fence: 0, the record.
 */
const LOG_TIME = 0;
const SOURCE_RECORD = 2;
const isWatermark = (ordinal: number): boolean => ordinal % 2 === 1;

async function sourceStep(plan: PipelinePlan, log: LogReader, stage: StagePlan, origin: TaskOrigin): Promise<Step> {
  const { topic, partition, offset, ordinal } = origin;
  const source = stage.input.kind === 'source' ? stage.input.uid : '';
  const byWatermark = stage.fenced && isWatermark(ordinal);
  const { message, range } = await log.find(topic, partition, offset);
  if (!message && byWatermark && range && offset >= range.high)
    return { hop: { kind: 'end', topic, partition, offset, stage: stage.id, source }, next: undefined };
  const found = message ?? (await findMessage(log, origin));
  const byLogTime = stage.fenced && ordinal === LOG_TIME;
  const feed = plan.feeds.find((one) => one.topic === topic);
  const header = headerOf(found, ORIGIN_HEADER);
  const before = header === undefined ? undefined : parseOrigin(header);
  const hop: SourceHop = {
    ...{ kind: 'source', stage: stage.id, source },
    ...viewMessage(topic, found),
    ...(feed && { record: offset * feed.partitions + partition }),
    ...(byWatermark && { fired: 'event timer' }),
    ...(byLogTime && { fired: 'processing timer' }),
    ...(header !== undefined && { origin: header }),
  };
  return { hop, next: before && stageOf(plan, before) && before };
}

async function frameStep(log: LogReader, stage: StagePlan, origin: TaskOrigin): Promise<Step> {
  const { topic, ordinal } = origin;
  const message = await findMessage(log, origin);
  if (message.value === null) throw lineageMissing(`the message at ${placeOf(origin)} is no frame, though topic ${topic} is a channel`);
  const reader = openFrame(message.value);
  const place = { topic, partition: message.partition, offset: message.offset, timestamp: message.timestamp, stage: stage.id };
  if (ordinal === LOG_TIME) return { hop: { kind: 'arrival', ...place, from: reader.upstream }, next: undefined };
  const byWatermark = isWatermark(ordinal);
  const position = (ordinal - (byWatermark ? 1 : 2)) / 2;
  const watermark = reader.stepAt(position);
  if (byWatermark ? watermark === undefined : position >= reader.count)
    throw lineageMissing(
      `the frame at ${placeOf(origin)} has ${reader.count} records, and no ${byWatermark ? 'watermark' : 'record'} at position ${position}: the topic has been recreated since`,
    );
  if (byWatermark && watermark !== undefined)
    return { hop: { kind: 'watermark', ...place, ...viewWatermark(reader, position, watermark) }, next: undefined };
  goTo(reader, position);
  const replayed = readReplayed(reader);
  const upstream = replayed?.[1] ?? describeOrigin(reader.upstream, reader);
  const next = parseOrigin(upstream);
  if (!next)
    throw lineageMissing(`record ${position} of the frame at ${placeOf(origin)} has the origin '${upstream}', which names no task`);
  const { timestamp: eventTime, key, count } = reader;
  const hop: RecordHop = {
    ...{ kind: 'record', ...place, position, count },
    ...(eventTime !== undefined && { eventTime }),
    key: key === undefined ? { form: 'none' } : { form: 'millrace', value: toJsonView(key) },
    value: { form: 'millrace', value: toJsonView(replayed ? replayed[2] : reader.value()) },
    origin: upstream,
  };
  return { hop, next };
}

function viewWatermark(
  reader: FrameReader,
  position: number,
  watermark: number,
): Pick<WatermarkHop, 'watermark' | 'from' | 'after' | 'before'> {
  const { upstream, count } = reader;
  const originAt = (at: number): string => {
    goTo(reader, at);
    return describeOrigin(upstream, reader);
  };
  return {
    watermark: watermark === Infinity ? 'Infinity' : watermark,
    from: upstream,
    ...(position > 0 && { after: originAt(position - 1) }),
    ...(position < count && { before: originAt(position) }),
  };
}

function goTo(reader: FrameReader, position: number): void {
  if (reader.position > position) reader.rewind();
  while (reader.position < position && reader.next());
}

/** The stage whose task an origin names; undefined if it is of another pipeline or namespace, or a stage that is gone. */
function stageOf(plan: PipelinePlan, { stage: id, topic, generation }: TaskOrigin): StagePlan | undefined {
  const stage = plan.stages.find((one) => one.id === id);
  if (stage?.input.kind === 'channel')
    return topic === channelTopic(plan.namespace, plan.pipeline, stage.input.channel, generation) ? stage : undefined;
  return stage?.input.topics.includes(topic) === true ? stage : undefined;
}

function foreign({ pipeline, namespace }: PipelinePlan, origin: TaskOrigin): MillraceError {
  const { stage, topic } = origin;
  return new MillraceError(
    'MILLRACE_PLAN_MISMATCH',
    `the record was made by stage ${stage} from topic ${topic}, and pipeline ${pipeline} has no such stage in namespace ${namespace}; ` +
      'give the pipeline file, and the --namespace, of the run that wrote it',
  );
}

/** @throws MILLRACE_MESSAGE_MISSING */
async function findMessage(log: LogReader, place: LogPlace): Promise<TopicMessage> {
  const { topic, partition, offset } = place;
  const { message, range } = await log.find(topic, partition, offset);
  if (message) return message;
  const why = (): string => {
    if (!range) return `topic ${topic} has no partition ${partition}`;
    const { low, high } = range;
    if (offset < low) return `offset ${offset} of ${topic}-${partition} is gone: retention has dropped what was before ${low}`;
    if (offset >= high)
      return `${topic}-${partition} has no offset ${offset}: it holds ${low < high ? `${low} to ${high - 1}` : 'nothing'}`;
    return `offset ${offset} of ${topic}-${partition} holds no record: it ends a transaction, was aborted with one, or was compacted away`;
  };
  throw new MillraceError('MILLRACE_MESSAGE_MISSING', why());
}

function viewMessage(topic: string, { partition, offset, timestamp, key, value }: TopicMessage, kind = 'message'): MessagePlace & Payload {
  return { topic, partition, offset, timestamp, key: viewPayload(key, 'message'), value: viewPayload(value, kind) };
}

/** The last one of a name, as Kafka's own clients take it. */
function headerOf({ headers }: TopicMessage, name: string): string | undefined {
  const found = headers.findLast(([one]) => one === name);
  return found && Buffer.from(found[1]).toString();
}

function placeOf({ topic, partition, offset }: LogPlace): string {
  return `${topic}-${partition}, offset ${offset}`;
}

function lineageMissing(message: string): MillraceError {
  return new MillraceError('MILLRACE_LINEAGE_MISSING', message);
}
