/** Who has to act on an error: the pipeline's author, the operator of a service, or Millrace's developers. */
export type ErrorDomain = 'user' | 'external' | 'internal';

/** Whether the same batch can succeed later without a change by somebody. */
export type RetryHint = 'never' | 'backoff';

/**
 * Every code that Millrace throws, with who has to act and whether a retry can help. The one place where codes are added;
 * `docs/reference/errors.md` has a section for each (held equal by a test).
 */
export const ERROR_CODES = {
  // The pipeline file and its plan
  MILLRACE_NO_PIPELINE: ['user', 'never'],
  MILLRACE_BUILD_FAILED: ['user', 'never'],
  MILLRACE_OPTION_INVALID: ['user', 'never'],
  MILLRACE_PARAM_MISSING: ['user', 'never'],
  MILLRACE_PARAM_UNKNOWN: ['user', 'never'],
  MILLRACE_UID_MISSING: ['user', 'never'],
  MILLRACE_UID_DUPLICATE: ['user', 'never'],
  MILLRACE_UID_INVALID: ['user', 'never'],
  MILLRACE_UID_ORPHANED: ['user', 'never'],
  MILLRACE_STATE_RETYPED: ['user', 'never'],
  MILLRACE_STATE_VERSION: ['user', 'never'],
  MILLRACE_STATE_DUPLICATE: ['user', 'never'],
  MILLRACE_STATE_WITHOUT_KEY: ['user', 'never'],
  MILLRACE_CYCLE: ['user', 'never'],
  MILLRACE_STREAM_FOREIGN: ['user', 'never'],
  MILLRACE_STREAM_UNUSED: ['user', 'never'],
  MILLRACE_PIPELINE_EMPTY: ['user', 'never'],
  MILLRACE_INPUT_UNBOUNDED: ['user', 'never'],
  MILLRACE_WATERMARKS_MISPLACED: ['user', 'never'],
  MILLRACE_HOP_UNSUPPORTED: ['user', 'never'],
  MILLRACE_MAPPING_GIVES_UP: ['user', 'never'],
  MILLRACE_LOCK_INVALID: ['user', 'never'],
  MILLRACE_PLAN_MISMATCH: ['user', 'never'],
  // Records
  MILLRACE_KEY_TYPE: ['user', 'never'],
  MILLRACE_TIMESTAMP_INVALID: ['user', 'never'],
  MILLRACE_VALUE_NOT_ENCODABLE: ['user', 'never'],
  MILLRACE_VALUE_TOO_LARGE: ['user', 'never'],
  MILLRACE_DECODE_FAILED: ['user', 'never'],
  MILLRACE_SCHEMA_MISMATCH: ['user', 'never'],
  MILLRACE_USER_FUNCTION: ['user', 'never'],
  MILLRACE_TIMERS_ENDLESS: ['user', 'never'],
  MILLRACE_NOT_DETERMINISTIC: ['user', 'never'],
  MILLRACE_KEY_IN_TWO_PARTITIONS: ['user', 'never'],
  // Frames
  MILLRACE_FRAME_CORRUPT: ['internal', 'never'],
  MILLRACE_FRAME_VERSION: ['user', 'never'],
  // The event and the commit protocol
  MILLRACE_EVENT_INVALID: ['user', 'never'],
  MILLRACE_EVENT_FOREIGN: ['user', 'never'],
  MILLRACE_CONFIG_INVALID: ['user', 'never'],
  MILLRACE_FENCED: ['internal', 'backoff'],
  MILLRACE_CONFLICT: ['internal', 'backoff'],
  MILLRACE_OUTCOME_UNKNOWN: ['external', 'backoff'],
  MILLRACE_NODE_EXISTS: ['internal', 'never'],
  MILLRACE_NODE_TOO_LARGE: ['internal', 'never'],
  MILLRACE_STATE_CORRUPT: ['external', 'never'],
  MILLRACE_CHANNEL_GAP: ['external', 'never'],
  MILLRACE_TOPIC_WENT_BACK: ['external', 'never'],
  MILLRACE_UPSTREAM_WENT_BACK: ['external', 'never'],
  MILLRACE_GENERATION_REFUSED: ['user', 'never'],
  MILLRACE_RECORD_FAILED: ['user', 'backoff'],
  // Services and the harness
  MILLRACE_TOPIC_MISSING: ['external', 'never'],
  MILLRACE_TOPIC_MISMATCH: ['external', 'never'],
  MILLRACE_AUTHENTICATION_FAILED: ['external', 'never'],
  MILLRACE_NOT_AUTHORIZED: ['external', 'never'],
  MILLRACE_CHROOT_MISSING: ['external', 'never'],
  MILLRACE_PRODUCE_FAILED: ['external', 'backoff'],
  MILLRACE_MESSAGE_TOO_LARGE: ['user', 'never'],
  MILLRACE_TIMESTAMP_REFUSED: ['user', 'never'],
  MILLRACE_CONNECTION_LOST: ['external', 'backoff'],
  MILLRACE_FUNCTION_THROTTLED: ['external', 'backoff'],
  MILLRACE_BUNDLE_FAILED: ['user', 'never'],
  MILLRACE_INPUT_UNREADABLE: ['user', 'never'],
  MILLRACE_OUTPUT_UNWRITABLE: ['external', 'backoff'],
  MILLRACE_OUTPUT_FOREIGN: ['user', 'never'],
  MILLRACE_FLAG_INVALID: ['user', 'never'],
  MILLRACE_PORT_IN_USE: ['user', 'never'],
  MILLRACE_DATA_INVALID: ['user', 'never'],
  MILLRACE_STATE_MISSING: ['user', 'never'],
  MILLRACE_MESSAGE_MISSING: ['user', 'never'],
  MILLRACE_LINEAGE_MISSING: ['user', 'never'],
  MILLRACE_REPLAY_REFUSED: ['user', 'never'],
} as const satisfies Record<string, readonly [ErrorDomain, RetryHint]>;

/** A stable error code; match on it, never on a message. */
export type ErrorCode = keyof typeof ERROR_CODES;

const brand: unique symbol = Symbol.for('millrace.error') as never;

/**
 * What Millrace throws. The message says what was given, what is allowed and what to do; `code` is stable. Use `isMillraceError`
 * rather than `instanceof`: two copies of the package (ESM and CommonJS) can be loaded side by side.
 */
export class MillraceError extends Error {
  static {
    Object.defineProperty(this.prototype, brand, { value: true });
  }
  override readonly name = 'MillraceError';
  readonly code: ErrorCode;
  readonly domain: ErrorDomain;
  readonly retry: RetryHint;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
    [this.domain, this.retry] = ERROR_CODES[code];
  }
}

/** True for an error of Millrace, whichever loaded copy made it; narrows `code` if given. */
export function isMillraceError(value: unknown, code?: ErrorCode): value is MillraceError {
  const branded = typeof value === 'object' && value !== null && brand in value;
  return branded && (code === undefined || (value as unknown as MillraceError).code === code);
}
