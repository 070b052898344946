import { writeMessage, messageBytes } from '../../../functions/channels/embedded/message-layout.ts';
import type { OutgoingMessage } from '../../../functions/channels/channel-writer.ts';
import { parseError } from '../../../functions/shared/embedded-connection.ts';
import {
  BodyReader,
  BodyWriter,
  encodeEnvelope,
  EnvelopeSplitter,
  LONGEST_MESSAGE,
  textBytes,
} from '../../../functions/shared/embedded-wire.ts';
import { isMillraceError } from '../../../functions/shared/errors.ts';
import { decodeNames, decodeNode, decodeStateOps, encodeStateOps } from '../../../functions/state/embedded/state-layout.ts';
import { toEncodedBatch } from '../../../local/log/message-batch.ts';
import { Segment } from '../../../local/log/segment.ts';
import { bytesTarget } from '../target.ts';

const data = new Uint8Array([1, 2, 3, 4]);

const OPS = encodeStateOps([
  { op: 'create', path: '/millrace/a', data },
  { op: 'set', path: '/millrace/a', data, version: 3 },
  { op: 'check', path: '/millrace/b', version: 1 },
  { op: 'delete', path: '/millrace/c' },
]);

const NODE = new BodyWriter(5 + textBytes('12') + data.length).u8(1).u32(7).text('12');
NODE.buffer.set(data, NODE.skip(data.length));

const NAMES = new BodyWriter(4 + textBytes('d-1') + textBytes('i-2-x')).u32(2).text('d-1').text('i-2-x').buffer;

const MESSAGES: readonly OutgoingMessage[] = [
  { key: Buffer.from('key'), value: Buffer.from('value') },
  { key: null, value: null, headers: [['trace', data]] },
  { key: null, value: Buffer.alloc(300, 7) },
];

export function encoded(messages: readonly OutgoingMessage[]): Buffer {
  const body = Buffer.alloc(messages.reduce((sum, message) => sum + messageBytes(message), 0));
  let at = 0;
  for (const message of messages) at = writeMessage(body, at, message);
  return body;
}

const body = encoded(MESSAGES);
const APPEND = new BodyWriter(textBytes('orders') + 8 + body.length).text('orders').u32(1).u32(MESSAGES.length);
APPEND.buffer.set(body, APPEND.skip(body.length));

function enveloped(...bodies: readonly Buffer[]): Buffer {
  return Buffer.concat(bodies.flatMap((one, i) => [encodeEnvelope(i + 1, i % 6, one.length), one]));
}

/** Arrives in chunks that depend on the input alone. */
export const WIRE = bytesTarget({
  name: 'the wire between functions and the harness',
  corpus: [enveloped(OPS), enveloped(NODE.buffer, NAMES, OPS)],
  codes: ['MILLRACE_CONNECTION_LOST'],
  parse: (input) => {
    const splitter = new EnvelopeSplitter();
    let bytes = 0;
    for (let at = 0, step = 1 + ((input[0] ?? 0) % 13); at < input.length; at += step)
      for (const { id, kind, body } of splitter.push(input.subarray(at, at + step))) {
        if (!(id >= 0 && kind >= 0) || body.length > LONGEST_MESSAGE) throw new Error('an envelope is none');
        bytes += body.length;
      }
    if (bytes > input.length) throw new Error('more came out than went in');
  },
});

export const STATE_REQUESTS = bytesTarget({
  name: 'writes to the embedded store',
  corpus: [OPS],
  codes: ['MILLRACE_CONNECTION_LOST'],
  parse: (input) => void encodeStateOps(decodeStateOps(input)),
});

export const STATE_REPLIES = bytesTarget({
  name: 'replies of the embedded store',
  corpus: [NODE.buffer, NAMES],
  codes: ['MILLRACE_CONNECTION_LOST'],
  parse: (input) => {
    const isNode = input[0] === 1;
    if (isNode) decodeNode(input);
    else decodeNames(input);
  },
});

export const FAILURES = bytesTarget({
  name: 'errors of the harness',
  corpus: ['{"code":"MILLRACE_CONFLICT","message":"no"}', '{"message":"no"}', '{"code":"toString","message":1}', 'null'].map((text) =>
    Buffer.from(text),
  ),
  codes: [],
  parse: (input) => {
    if (!isMillraceError(parseError(input, 'MILLRACE_OUTCOME_UNKNOWN'))) throw new Error('no error of Millrace');
  },
});

/** As the harness reads an append, stores it, and a mapping reads it. */
export const APPENDS = bytesTarget({
  name: 'appends to the embedded log',
  corpus: [APPEND.buffer],
  codes: ['MILLRACE_CONNECTION_LOST', 'MILLRACE_PRODUCE_FAILED'],
  parse: (input) => {
    const request = new BodyReader(input);
    const [, , count] = [request.text(), request.u32(), request.u32()];
    const segment = new Segment(0, false);
    segment.append(toEncodedBatch(count, request.rest()), 1);
    useSegment(segment);
  },
});

/** Reads every record of a segment as a mapping does. */
export function useSegment(segment: Segment): void {
  for (let i = 0; i < segment.count; i++) {
    const { timestamp, key, value, headers } = segment.record(i);
    const bytes = (key?.length ?? 0) + (value?.length ?? 0) + headers.reduce((sum, [, held]) => sum + held.length, 0);
    if (!Number.isFinite(timestamp) || bytes > segment.used) throw new Error(`record ${i} is none`);
  }
}
