import { isMillraceError, MillraceError, type ErrorCode } from '../../shared/errors.ts';

/** What was tried when a client's error came. */
export interface KafkaAttempt {
  /** For people: `append to t-0`. */
  readonly action: string;
  /** Topic or group that it was about. */
  readonly resource: string;
  readonly brokers: readonly string[];
  /** Code of what is no fault of the resource: no answer, no leader, too few replicas. */
  readonly fallback: ErrorCode;
}

interface ClientError {
  readonly name?: string;
  readonly message?: string;
  /** Kafka's name of a protocol error. */
  readonly type?: string;
  /** System's or OpenSSL's name of a connection error. */
  readonly code?: string | number;
  readonly cause?: unknown;
  /** Of an error that stands for several. */
  readonly errors?: readonly unknown[];
}

const CODES: Readonly<Record<string, ErrorCode>> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'MILLRACE_TOPIC_MISSING',
  INVALID_TOPIC_EXCEPTION: 'MILLRACE_TOPIC_MISSING',
  INVALID_TIMESTAMP: 'MILLRACE_TIMESTAMP_REFUSED',
  UNSUPPORTED_COMPRESSION_TYPE: 'MILLRACE_TOPIC_MISMATCH',
  MESSAGE_TOO_LARGE: 'MILLRACE_MESSAGE_TOO_LARGE',
  RECORD_LIST_TOO_LARGE: 'MILLRACE_MESSAGE_TOO_LARGE',
  TOPIC_AUTHORIZATION_FAILED: 'MILLRACE_NOT_AUTHORIZED',
  GROUP_AUTHORIZATION_FAILED: 'MILLRACE_NOT_AUTHORIZED',
  CLUSTER_AUTHORIZATION_FAILED: 'MILLRACE_NOT_AUTHORIZED',
  SASL_AUTHENTICATION_FAILED: 'MILLRACE_AUTHENTICATION_FAILED',
  UNSUPPORTED_SASL_MECHANISM: 'MILLRACE_AUTHENTICATION_FAILED',
  ILLEGAL_SASL_STATE: 'MILLRACE_AUTHENTICATION_FAILED', // a client that does not authenticate itself where it has to
  KafkaJSSASLAuthenticationError: 'MILLRACE_AUTHENTICATION_FAILED',
};

/** OpenSSL's and Node's names for a certificate that is not trusted, or a port that does not speak TLS. */
const TLS_CODE = /CERT|SELF_SIGNED|UNABLE_TO|^ERR_(SSL|TLS)|^EPROTO$/;
/** Node's words, under the code ECONNRESET, for a port that hangs up on a TLS handshake: one without TLS does it, and a broker that restarts. */
const TLS_REFUSED = 'before secure TLS connection';
/** Node's names for what can't be put into bytes: thrown here, not by a broker, and again by every further try. */
const ENCODING_CODES: ReadonlySet<unknown> = new Set(['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_VALUE', 'ERR_OUT_OF_RANGE']);

const HINTS: Partial<Record<ErrorCode, string>> = {
  MILLRACE_TOPIC_MISSING: 'Create it, or correct its name',
  MILLRACE_TOPIC_MISMATCH: "Change the sink's compression, or what the topic allows",
  MILLRACE_TIMESTAMP_REFUSED:
    "Raise the topic's message.timestamp.after.max.ms or message.timestamp.before.max.ms, or give such records another time",
  MILLRACE_MESSAGE_TOO_LARGE: "Write smaller messages, or raise the topic's max.message.bytes",
  MILLRACE_VALUE_NOT_ENCODABLE: 'No broker refused it: something in a message, or around it, can not be put into bytes',
  MILLRACE_NOT_AUTHORIZED: 'Have the right granted to this user',
  MILLRACE_AUTHENTICATION_FAILED: 'Check ssl and sasl in MILLRACE_KAFKA_CONFIG, and that the port is the one for them',
};

const REACH_HINT = 'Check that the brokers are up and can be reached';
const TLS_HINT = `${REACH_HINT}, and that this port speaks TLS: ssl in MILLRACE_KAFKA_CONFIG asks for it`;

/** A client's error as one of ours, with the code of its root: clients wrap it once for each of their own retries. */
export function toKafkaError(error: unknown, attempt: KafkaAttempt): MillraceError {
  if (isMillraceError(error)) return error;
  const root = rootOf(error);
  if (isMillraceError(root)) return root;
  const code = codeOf(root, attempt) ?? attempt.fallback;
  const why = root.type ?? (isUnanswered(root) ? 'no broker answered' : root.message) ?? String(error);
  const hint = HINTS[code] ?? (why.includes(TLS_REFUSED) ? TLS_HINT : REACH_HINT);
  const subject = `${attempt.action} (${attempt.resource}, brokers ${attempt.brokers.join(', ')})`;
  return new MillraceError(code, `${subject} failed: ${why}. ${hint}`, { cause: error });
}

/** kafkajs 2.2.4 takes a request for metadata that every broker left unanswered for an answer, and stumbles over it. */
function isUnanswered({ name, message = '' }: ClientError): boolean {
  return name === 'TypeError' && message.includes("'topicMetadata'");
}

function codeOf({ type, name, code }: ClientError, { fallback }: KafkaAttempt): ErrorCode | undefined {
  const known = CODES[type ?? ''] ?? CODES[name ?? ''];
  if (known !== undefined) return known;
  if (typeof code === 'string' && TLS_CODE.test(code)) return 'MILLRACE_AUTHENTICATION_FAILED';
  return fallback === 'MILLRACE_PRODUCE_FAILED' && ENCODING_CODES.has(code) ? 'MILLRACE_VALUE_NOT_ENCODABLE' : undefined;
}

function rootOf(error: unknown): ClientError {
  let root = (error ?? {}) as ClientError;
  for (let depth = 0; depth < 8; depth++) {
    const inner = root.cause ?? root.errors?.[0];
    if (inner === undefined || inner === root) break;
    root = inner as ClientError;
  }
  return root;
}
