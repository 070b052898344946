import { crc32 } from 'node:zlib';
import { parseOffsets } from '../../../local/log/group-offsets.ts';
import { toEncodedBatch } from '../../../local/log/message-batch.ts';
import { BATCH_HEADER_BYTES, Segment } from '../../../local/log/segment.ts';
import { encodeTopic, parseTopic } from '../../../local/log/topic-file.ts';
import { decodeEntries, encodeEntry } from '../../../local/state-entry.ts';
import { bytesTarget, jsonTarget, sealedTarget } from '../target.ts';
import { encoded, useSegment } from './embedded.ts';

function segmentOf(batches: number): Buffer {
  const segment = new Segment(40, true);
  for (let i = 1; i <= batches; i++) {
    const messages = Array.from({ length: i }, (_, j) => ({ key: Buffer.from(`k${j}`), value: Buffer.alloc(j * 9, i) }));
    segment.append(toEncodedBatch(messages.length, encoded(messages)), 1000 * i);
  }
  return Buffer.from(segment.bytes.subarray(0, segment.used));
}

/** Makes the checksums right of what looks like u32 length, u32 CRC, content, one after another; the last length is cut to what is there. */
function sealEntries(damaged: Buffer): Buffer {
  const copy = Buffer.from(damaged);
  for (let at = 0; at + 8 <= copy.length; at += 8 + copy.readUInt32LE(at)) {
    if (copy.readUInt32LE(at) > copy.length - at - 8) copy.writeUInt32LE(copy.length - at - 8, at);
    const end = at + 8 + copy.readUInt32LE(at);
    copy.writeUInt32LE(crc32(copy.subarray(at + 8, end)), at + 4);
  }
  return copy;
}

export const SEGMENTS = sealedTarget(
  {
    name: 'segments of the log',
    corpus: [segmentOf(1), segmentOf(4)],
    codes: ['MILLRACE_DATA_INVALID'],
    parse: (input) => {
      const segment = new Segment(40, true, Buffer.from(input));
      if (segment.recover() > input.length || segment.count * BATCH_HEADER_BYTES > 2 * input.length) throw new Error('more than there is');
      useSegment(segment);
    },
  },
  sealEntries,
);

const node = { data: new Uint8Array([1, 2, 3]), version: 4, created: '17' };

export const STATE_FILE = sealedTarget(
  {
    name: 'the file of the state store',
    corpus: [
      encodeEntry([['/millrace/a', node]]),
      Buffer.concat([
        encodeEntry([['/a', node]]),
        encodeEntry([
          ['/a', undefined],
          ['/b/c', { ...node, data: new Uint8Array(90) }],
        ]),
      ]),
    ],
    codes: ['MILLRACE_DATA_INVALID'],
    parse: (input) => {
      for (const changes of decodeEntries(input))
        for (const [path, held] of changes)
          if (held && (!path.startsWith('/') || !Number.isSafeInteger(Number(held.created)))) throw new Error(`no node ${path}`);
    },
  },
  sealEntries,
);

export const OFFSETS = bytesTarget({
  name: 'committed offsets',
  corpus: [Buffer.from('["group","orders",0,17]\n["group","orders",1,3]\n["gro')],
  codes: ['MILLRACE_DATA_INVALID'],
  parse: (input) => {
    for (const [, , partition, offset] of parseOffsets(input.toString()))
      if (!(partition >= 0 && offset >= 0)) throw new Error('no offset');
  },
});

export const TOPICS = jsonTarget({
  name: 'files about topics',
  corpus: [
    encodeTopic({ partitions: 4, limits: { maxMessageBytes: 1000, retentionBytes: 5000 } }),
    encodeTopic({ partitions: 1, limits: {} }),
  ].map((text) => Buffer.from(text)),
  codes: ['MILLRACE_DATA_INVALID'],
  parse: (input) => {
    const { partitions } = parseTopic('orders', input.toString());
    Array.from({ length: partitions }, (_, i) => i);
  },
});
