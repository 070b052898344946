import { type InputBatch, parseEvent } from '../../../functions/runtime/kafka-event.ts';
import { ApiError, parseRoute, toInvocationType } from '../../../local/emulator/invoke-requests.ts';
import { kafkaEvent } from '../../../local/testing/kafka-event.ts';
import { bytesTarget, jsonTarget } from '../target.ts';

const GENERATION = 2;

/** Lambda parses an event before a function sees it. */
class NoJson extends Error {
  override readonly name = 'NoJson';
}

function fromLambda(input: Buffer): unknown {
  try {
    return JSON.parse(input.toString());
  } catch {
    throw new NoJson();
  }
}

const corpus = [
  kafkaEvent({
    topic: 'orders',
    records: [{ value: { id: 1 }, key: 'a', headers: { trace: 'x' } }, { value: null }, { value: 'text', partition: 1, timestamp: 5 }],
  }),
  kafkaEvent({ topic: 'orders', eventSource: 'aws:kafka', timestampType: 'CREATE_TIME', records: [{ value: new Uint8Array([1, 255]) }] }),
  { eventSource: 'millrace:end', generation: GENERATION, partitions: [{ topic: 'orders', partition: 0, offset: 9 }] },
].map((event) => Buffer.from(JSON.stringify(event)));

function use({ topic, partition, messages }: InputBatch): void {
  if (typeof topic !== 'string' || !isCount(partition)) throw new Error(`a batch of ${topic} ${partition}`);
  let last = -1;
  for (const { offset, time, key, value, hasValue, size } of messages) {
    if (!isCount(offset) || offset <= last || !Number.isSafeInteger(time)) throw new Error(`offset ${offset} at ${time}`);
    last = offset;
    if (hasValue !== (value !== null) || (value && Math.abs(value.length - size) > 2 && !isDamaged(value, size)))
      throw new Error('no such size');
    if (key !== null && !(key instanceof Uint8Array)) throw new Error('a key is no bytes');
  }
}

/** Node's base64 skips what is none, so the size is then an upper bound. */
function isDamaged(value: Uint8Array, size: number): boolean {
  return value.length < size;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export const EVENTS = jsonTarget({
  name: 'events of Lambda',
  corpus,
  codes: ['MILLRACE_EVENT_INVALID', 'MILLRACE_EVENT_FOREIGN', 'MILLRACE_GENERATION_REFUSED'],
  isDocumented: (error) => error instanceof NoJson,
  parse: (input) => {
    for (const batch of parseEvent(fromLambda(input), GENERATION)) use(batch);
  },
});

/** Method, path and invocation type, a line each. */
const requests = [
  'POST\n/2015-03-31/functions/orders/invocations\nEvent',
  'POST\n/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Aorders/invocations?Qualifier=%24LATEST\nDryRun',
  'POST\nhttp://localhost:3001/2015-03-31/functions/orders:$LATEST/invocations/\nRequestResponse',
].map((text) => Buffer.from(text));

export const REQUESTS = bytesTarget({
  name: "requests to Lambda's API",
  corpus: requests,
  codes: [],
  isDocumented: (error) => error instanceof ApiError && error.status >= 400 && error.status < 500,
  parse: (input) => {
    const [method = '', url = '', type = ''] = input.toString('latin1').split('\n');
    if (!/^[\w-]+$/.test(parseRoute({ method, url }))) throw new Error('no name of a function');
    toInvocationType(type);
  },
});
