import type { MillraceError } from '../shared/errors.ts';
import type { Origin } from '../shared/origin.ts';
import type { OutgoingMessage } from './channel-writer.ts';

/** Messages for one partition, in order. */
export interface TopicAppend {
  readonly topic: string;
  readonly partition: number;
  readonly messages: readonly OutgoingMessage[];
  /** Of each message, that of the record that it was made from. */
  readonly origins?: readonly Origin[];
}

/** A message that its topic refuses for its timestamp. */
export interface RefusedMessage {
  readonly topic: string;
  readonly partition: number;
  readonly message: OutgoingMessage;
  readonly error: MillraceError;
}

/** What a transaction sends in place of messages that their topics refuse. */
export type Bury = (refused: readonly RefusedMessage[]) => readonly TopicAppend[];

/** Transactions of a log: appends to any partitions together with an offset, seen whole or not at all by readers of committed messages. */
export interface TransactionalLog {
  /**
   * Opens the producer `id`. Its first transaction shuts out every older producer of this id: what these had under way is decided when
   * this resolves, and nothing of theirs is appended any more. Only then the offset is read that `id`, as a consumer group, has
   * committed for this input partition, and not before offsets that are pending have become visible.
   *
   * @throws MILLRACE_PRODUCE_FAILED or MILLRACE_CONNECTION_LOST: open it again.
   */
  openProducer(id: string, topic: string, partition: number): Promise<TransactionalProducer>;
  close(): Promise<void>;
}

/** One owner at a time. After any failure it can't be used any more. */
export interface TransactionalProducer {
  /** The group's offset when it was opened; undefined if it has none. */
  readonly committed: number | undefined;
  /**
   * Appends all of `appends`, those of one partition in order, and sets the group's offset, in one transaction. After a failure the
   * transaction stays open and is never aborted: a request may still be under way, which only the first transaction of a newer
   * producer shuts out.
   *
   * @param bury - Asked for what is sent, in the same transaction, in place of messages whose timestamps are refused. Without it they fail the commit.
   * @throws MILLRACE_FENCED there is a newer producer of this id.
   * @throws MILLRACE_PRODUCE_FAILED or MILLRACE_CONNECTION_LOST: it may have been committed, or be committed later.
   * @throws MILLRACE_TOPIC_MISSING, MILLRACE_MESSAGE_TOO_LARGE, MILLRACE_TIMESTAMP_REFUSED, MILLRACE_NOT_AUTHORIZED
   */
  commit(appends: readonly TopicAppend[], offset: number, bury?: Bury): Promise<void>;
  /** Gives back what it holds, without ending a transaction. */
  close(): Promise<void>;
}
