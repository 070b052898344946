import { type PayloadView, payloadText } from './dead-letter.ts';
import type { Hop, LogPlace } from './lineage.ts';
import { preview } from './text-table.ts';

/** Characters of a key and a value; all of it is in `--json`. */
const MAX_PREVIEW = 400;

type Row = readonly [name: string, text: string | undefined];

/** One hop of a walk, for people: a line that says what it is, and what is known of it below. */
export function describeHop(hop: Hop): string {
  const lines = rowsOf(hop).filter(([, text]) => text !== undefined);
  return `${titleOf(hop)}\n${lines.map(([name, text = '']) => `  ${name.padEnd(11)}${preview(text, MAX_PREVIEW)}\n`).join('')}`;
}

function titleOf(hop: Hop): string {
  const place = placeOf(hop);
  switch (hop.kind) {
    case 'output':
      return place;
    case 'record':
      return `<- ${place}, record ${hop.position} of ${hop.count}, read by stage ${hop.stage}`;
    case 'source':
      return `<- ${place}, ${hop.record === undefined ? '' : `record ${hop.record} of `}source ${hop.source}, read by stage ${hop.stage}`;
    case 'watermark':
      return `<- ${place}, a watermark, read by stage ${hop.stage}`;
    case 'arrival':
      return `<- ${place}, the arrival of a frame, read by stage ${hop.stage}`;
    case 'end':
      return `<- ${place}, the end of source ${hop.source}, read by stage ${hop.stage}`;
  }
}

function rowsOf(hop: Hop): readonly Row[] {
  switch (hop.kind) {
    case 'output':
      return [['time', timeOf(hop.timestamp)], ...payloadRows(hop), ['origin', hop.origin]];
    case 'record':
      return [['event time', hop.eventTime === undefined ? undefined : timeOf(hop.eventTime)], ...payloadRows(hop), ['origin', hop.origin]];
    case 'source':
      return [['time', timeOf(hop.timestamp)], ['fired', hop.fired], ...payloadRows(hop), ['origin', hop.origin]];
    case 'watermark':
      return [
        ['fired', 'event timer'],
        ['watermark', hop.watermark === 'Infinity' ? 'the end of the input' : timeOf(hop.watermark)],
        ['sent by', hop.from],
        ['after', hop.after],
        ['before', hop.before],
      ];
    case 'arrival':
      return [
        ['fired', 'processing timer'],
        ['time', timeOf(hop.timestamp)],
        ['sent by', hop.from],
      ];
    case 'end':
      return [['fired', 'event or processing timer']];
  }
}

function payloadRows({ key, value }: { readonly key: PayloadView; readonly value: PayloadView }): readonly Row[] {
  return [
    ['key', key.form === 'none' ? undefined : payloadText(key, 0)],
    ['value', payloadText(value, 0)],
  ];
}

function placeOf({ topic, partition, offset }: LogPlace): string {
  return `${topic}-${partition}, offset ${offset}`;
}

/** Times of users may be none. */
function timeOf(ms: number): string {
  return Number.isFinite(ms) && Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : String(ms);
}
