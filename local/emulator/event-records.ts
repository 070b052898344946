import type { OutgoingMessage } from '../../functions/channels/channel-writer.ts';
import { messageBytes, writeMessage } from '../../functions/channels/embedded/message-layout.ts';

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
  isLogTime(index: number): boolean;
  /** Bytes that `writeMessage` takes at most. */
  roomAt(index: number): number;
  /** Writes key, value and headers in the layout of functions/channels/embedded/message-layout.ts; where they end. */
  writeMessage(index: number, target: Buffer, at: number): number;
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

  isLogTime(index: number): boolean {
    return this.messageAt(index).timestampType === 'LOG_APPEND_TIME';
  }

  roomAt(index: number): number {
    return messageBytes(this.messageAt(index));
  }

  writeMessage(index: number, target: Buffer, at: number): number {
    return writeMessage(target, at, this.messageAt(index));
  }

  messageAt(index: number): EventMessage {
    return this.messages[index] as EventMessage;
  }
}
