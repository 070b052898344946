/** Names of those of Kafka's error codes that the answers to a transaction's requests may hold. */
const NAMES: Readonly<Record<number, string>> = {
  3: 'UNKNOWN_TOPIC_OR_PARTITION',
  5: 'LEADER_NOT_AVAILABLE',
  6: 'NOT_LEADER_FOR_PARTITION',
  7: 'REQUEST_TIMED_OUT',
  10: 'MESSAGE_TOO_LARGE',
  14: 'GROUP_LOAD_IN_PROGRESS',
  15: 'GROUP_COORDINATOR_NOT_AVAILABLE',
  16: 'NOT_COORDINATOR_FOR_GROUP',
  17: 'INVALID_TOPIC_EXCEPTION',
  18: 'RECORD_LIST_TOO_LARGE',
  19: 'NOT_ENOUGH_REPLICAS',
  20: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  29: 'TOPIC_AUTHORIZATION_FAILED',
  30: 'GROUP_AUTHORIZATION_FAILED',
  32: 'INVALID_TIMESTAMP',
  45: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
  47: 'INVALID_PRODUCER_EPOCH',
  48: 'INVALID_TXN_STATE',
  49: 'INVALID_PRODUCER_ID_MAPPING',
  51: 'CONCURRENT_TRANSACTIONS',
  53: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  55: 'OPERATION_NOT_ATTEMPTED',
  56: 'KAFKA_STORAGE_ERROR',
  59: 'UNKNOWN_PRODUCER_ID',
  76: 'UNSUPPORTED_COMPRESSION_TYPE',
  87: 'INVALID_RECORD',
  88: 'UNSTABLE_OFFSET_COMMIT',
  90: 'PRODUCER_FENCED',
};

/** An error in a broker's answer, for what stands at `subject`. `type` is Kafka's name, as in errors of kafkajs. */
export class BrokerRefusal extends Error {
  override readonly name = 'BrokerRefusal';
  readonly type: string;
  /** What was refused: a partition, a topic, a group. */
  readonly subject: string;

  constructor(errorCode: number, subject: string) {
    const type = NAMES[errorCode] ?? `error code ${errorCode}`;
    super(`${type}: ${subject}`);
    this.type = type;
    this.subject = subject;
  }
}

/** Kafka's name of a protocol error, kafkajs's or ours; undefined for any other. */
export function refusalOf(error: unknown): string | undefined {
  const { type } = (error ?? {}) as { type?: unknown };
  return typeof type === 'string' ? type : undefined;
}
