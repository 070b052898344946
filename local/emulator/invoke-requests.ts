import type { IncomingMessage } from 'node:http';

export type InvocationType = 'RequestResponse' | 'Event' | 'DryRun';

/** Lambda's limits of a request's payload, in bytes. */
export const REQUEST_LIMITS: Readonly<Record<InvocationType, number>> = { RequestResponse: 6_291_456, Event: 1_048_576, DryRun: 6_291_456 };

/** An error as Lambda's API answers it. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly type: string;
  readonly extra: Readonly<Record<string, string>>;

  constructor(status: number, type: string, message: string, extra: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.type = type;
    this.extra = extra;
  }
}

export function throttled(): ApiError {
  return new ApiError(429, 'TooManyRequestsException', 'Rate Exceeded.', { Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded' });
}

/**
 * Name of the function that a request is for. It may be given as a name, a partial or a whole ARN, each with or without `:$LATEST`.
 *
 * @throws ApiError for any other route, and for a version that there is not.
 */
export function parseRoute(request: Pick<IncomingMessage, 'url' | 'method'>): string {
  const url = parseUrl(request.url ?? '/');
  const match = /^\/2015-03-31\/functions\/([^/]+)\/invocations\/?$/.exec(url.pathname);
  if (!match || request.method !== 'POST')
    throw new ApiError(404, 'UnknownOperationException', `${request.method} ${url.pathname} is not emulated, only Invoke is`);
  const given = decode(match[1] ?? '');
  const parsed = /^(?:(?:arn:[^:]+:lambda:[^:]*:)?\d{12}:function:|function:)?([\w-]+)(?::(\$LATEST|[\w-]+))?$/.exec(given);
  const name = parsed?.[1];
  if (name === undefined) throw new ApiError(400, 'ValidationException', `'${given}' is no function name`);
  const version = url.searchParams.get('Qualifier') ?? parsed?.[2] ?? '$LATEST';
  if (version !== '$LATEST') throw new ApiError(404, 'ResourceNotFoundException', `Function not found: ${given}:${version}`);
  return name;
}

/** What browsers and SDKs send is a path; behind a proxy a whole URL. */
function parseUrl(given: string): URL {
  try {
    return new URL(given, 'http://localhost');
  } catch {
    throw new ApiError(400, 'ValidationException', 'the path of the request is no URL');
  }
}

function decode(given: string): string {
  try {
    return decodeURIComponent(given);
  } catch {
    throw new ApiError(400, 'ValidationException', `'${given}' is no encoded function name`);
  }
}

/** @throws ApiError for an unknown type. */
export function toInvocationType(header: string | string[] | undefined): InvocationType {
  const type = header ?? 'RequestResponse';
  if (type === 'RequestResponse' || type === 'Event' || type === 'DryRun') return type;
  throw new ApiError(
    400,
    'InvalidParameterValueException',
    `Value '${String(type)}' at 'invocationType' is not one of Event, RequestResponse, DryRun`,
  );
}
