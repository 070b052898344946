import type { OutgoingMessage } from '../../functions/channels/channel-writer.ts';

/** A message as a Kafka client gives it. */
export interface EventMessage extends Required<OutgoingMessage> {
  readonly offset: number;
  readonly timestamp: number;
  readonly timestampType: TimestampType;
  /** Of key, value and headers. */
  readonly bytes: number;
}

export type TimestampType = 'LOG_APPEND_TIME' | 'CREATE_TIME';

/** Messages of one partition, in order, in whatever form they were read; by index. */
export interface EventRecords {
  readonly count: number;
  offsetAt(index: number): number;
  /** In ms. */
  timeAt(index: number): number;
  /** About as many as key, value and headers have. */
  bytesAt(index: number): number;
  /** The record in an event's text, from its offset on. ASCII. */
  textAt(index: number): string;
  messageAt(index: number): EventMessage;
}

/** Messages that a client has taken apart. */
export class MessageRecords implements EventRecords {
  private readonly messages: readonly EventMessage[];

  constructor(messages: readonly EventMessage[]) {
    this.messages = messages;
  }

  get count(): number {
    return this.messages.length;
  }

  offsetAt(index: number): number {
    return this.messageAt(index).offset;
  }

  timeAt(index: number): number {
    return this.messageAt(index).timestamp;
  }

  bytesAt(index: number): number {
    return this.messageAt(index).bytes;
  }

  textAt(index: number): string {
    return messageText(this.messageAt(index));
  }

  messageAt(index: number): EventMessage {
    return this.messages[index] as EventMessage;
  }
}

function messageText({ offset, timestamp, timestampType, key, value, headers }: EventMessage): string {
  const keyText = key ? `,"key":"${base64(key)}"` : '';
  const valueText = value ? `"${base64(value)}"` : 'null';
  const listText = headers.length === 0 ? '' : headerList(headers);
  return `${offset},"timestamp":${timestamp},"timestampType":"${timestampType}"${keyText},"value":${valueText},"headers":[${listText}]}`;
}

function base64({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

/** Headers as AWS writes them: an object each, bytes as numbers. */
export function headerList(headers: EventMessage['headers']): string {
  return headers.map(([name, value]) => `{${asciiJson(name)}:[${value.join(',')}]}`).join(',');
}

function asciiJson(text: string): string {
  return JSON.stringify(text).replace(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
