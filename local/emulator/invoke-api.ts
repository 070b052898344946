import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isMillraceError, MillraceError } from '../../functions/shared/errors.ts';
import { systemLocalClock, type LocalClock } from '../local-clock.ts';
import type { FunctionEmulator, InvocationResult, InvokeOptions } from './function-emulator.ts';
import { ApiError, parseRoute, REQUEST_LIMITS, throttled, toInvocationType, type InvocationType } from './invoke-requests.ts';

/** A function may answer this many bytes more than it may be asked. */
const RESPONSE_LIMIT_BYTES = REQUEST_LIMITS.RequestResponse + 100;

export interface InvokeApiOptions {
  readonly functions: ReadonlyMap<string, FunctionEmulator>;
  /** @default 0, any free port */
  readonly port?: number;
  readonly clock?: LocalClock;
  /** Waits before the two retries of an asynchronous invocation that failed, in ms. @default 1000 and 2000; Lambda's are minutes */
  readonly retryDelaysMs?: readonly number[];
  /** Told when an asynchronous invocation has failed for good. */
  readonly onAsyncFailure?: (functionName: string, result: InvocationResult) => void;
}

/** Lambda's Invoke API on loopback, for `@aws-sdk/client-lambda` with `endpoint` set to `url` and any credentials. */
export interface InvokeApi {
  readonly url: string;
  readonly port: number;
  /** Takes no more requests, waits for asynchronous invocations under way (not for their retries). */
  close(): Promise<void>;
}

/** @throws MILLRACE_PORT_IN_USE */
export async function openInvokeApi(options: InvokeApiOptions): Promise<InvokeApi> {
  const api = new InvokeServer(options);
  return await api.listen(options.port ?? 0);
}

class InvokeServer {
  private readonly options: InvokeApiOptions;
  private readonly clock: LocalClock;
  private readonly server: Server;
  private readonly background = new Set<Promise<void>>();
  private isClosing = false;

  constructor(options: InvokeApiOptions) {
    this.options = options;
    this.clock = options.clock ?? systemLocalClock;
    this.server = createServer((request, response) => void this.serve(request, response));
  }

  async listen(port: number): Promise<InvokeApi> {
    this.server.listen(port, '127.0.0.1');
    try {
      await once(this.server, 'listening');
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause;
      throw new MillraceError('MILLRACE_PORT_IN_USE', `port ${port} is in use; give another one, or 0 for any that is free`, { cause });
    }
    const address = this.server.address() as AddressInfo;
    return { url: `http://127.0.0.1:${address.port}`, port: address.port, close: () => this.close() };
  }

  private async close(): Promise<void> {
    this.isClosing = true;
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeIdleConnections();
    await Promise.allSettled(this.background);
    this.server.closeAllConnections();
    await closed;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.invoke(request, response);
    } catch (error) {
      const answer = error instanceof ApiError ? error : new ApiError(500, 'ServiceException', String(error));
      response.writeHead(answer.status, { 'content-type': 'application/json', 'x-amzn-errortype': answer.type });
      response.end(JSON.stringify({ Type: answer.status < 500 ? 'User' : 'Service', message: answer.message, ...answer.extra }));
      // What was not read of a body that is too long must not be taken for the next request.
      if (!request.complete) request.destroy();
    }
  }

  private async invoke(request: IncomingMessage, response: ServerResponse): Promise<void> {
    refuseBrowsers(request);
    const target = this.find(parseRoute(request));
    const type = toInvocationType(request.headers['x-amz-invocation-type']);
    const payload = await readPayload(request, type);
    const context = request.headers['x-amz-client-context'];
    const options = typeof context === 'string' ? { clientContext: Buffer.from(context, 'base64').toString() } : {};
    if (type === 'DryRun') {
      response.writeHead(204).end();
    } else if (type === 'Event') {
      this.invokeLater(target, payload, options);
      response.writeHead(202).end();
    } else {
      const wantsLog = request.headers['x-amz-log-type'] === 'Tail';
      sendResult(response, limitResponse(await invokeNow(target, payload, options)), wantsLog);
    }
  }

  private find(name: string): FunctionEmulator {
    const found = this.options.functions.get(name);
    if (found) return found;
    const arn = `arn:aws:lambda:us-east-1:000000000000:function:${name}`;
    throw new ApiError(404, 'ResourceNotFoundException', `Function not found: ${arn}`);
  }

  private invokeLater(target: FunctionEmulator, payload: string, options: InvokeOptions): void {
    const work = this.invokeWithRetries(target, payload, options).finally(() => this.background.delete(work));
    this.background.add(work);
  }

  /** Lambda's way with asynchronous invocations: two retries of an error; throttles are tried again until they get through. */
  private async invokeWithRetries(target: FunctionEmulator, payload: string, options: InvokeOptions): Promise<void> {
    const delays = [...(this.options.retryDelaysMs ?? [1000, 2000])];
    while (!this.isClosing) {
      const result = await target.invoke(payload, options).catch(asThrottle);
      if (result && !result.error) return;
      const delay = result ? delays.shift() : 100;
      if (result && delay === undefined) return this.options.onAsyncFailure?.(target.name, result);
      await this.clock.sleep(delay ?? 0);
    }
  }
}

/** A page in a browser can post to loopback too: it sends its origin, or a host name that it has pointed here. */
function refuseBrowsers(request: IncomingMessage): void {
  const host = request.headers.host?.replace(/:\d+$/, '');
  const isLocal = host === '127.0.0.1' || host === 'localhost' || host === '[::1]';
  if (request.headers.origin !== undefined || !isLocal)
    throw new ApiError(403, 'AccessDeniedException', 'only local programs may invoke functions');
}

async function readPayload(request: IncomingMessage, type: InvocationType): Promise<string> {
  const limit = REQUEST_LIMITS[type];
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > limit)
      throw new ApiError(413, 'RequestTooLargeException', `Request must be smaller than ${limit} bytes for the InvokeFunction operation`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString() || '{}';
  try {
    JSON.parse(text);
  } catch (cause) {
    throw new ApiError(400, 'InvalidRequestContentException', `Could not parse request body into json: ${(cause as Error).message}`);
  }
  return text;
}

async function invokeNow(target: FunctionEmulator, payload: string, options: InvokeOptions): Promise<InvocationResult> {
  const result = await target.invoke(payload, options).catch(asThrottle);
  if (!result) throw throttled();
  return result;
}

function asThrottle(error: unknown): undefined {
  if (!isMillraceError(error, 'MILLRACE_FUNCTION_THROTTLED')) throw error;
}

function limitResponse(result: InvocationResult): InvocationResult {
  const bytes = result.payload.length * 3 > RESPONSE_LIMIT_BYTES ? Buffer.byteLength(result.payload) : 0;
  if (bytes <= RESPONSE_LIMIT_BYTES) return result;
  const error = {
    errorType: 'Function.ResponseSizeTooLarge',
    errorMessage: `Response payload size exceeded maximum allowed payload size (${RESPONSE_LIMIT_BYTES} bytes).`,
  };
  return { ...result, error, payload: JSON.stringify(error) };
}

function sendResult(response: ServerResponse, result: InvocationResult, wantsLog: boolean): void {
  response.writeHead(200, {
    'content-type': 'application/json',
    'x-amzn-requestid': result.requestId,
    'x-amz-executed-version': '$LATEST',
    ...(result.error ? { 'x-amz-function-error': 'Unhandled' } : {}),
    ...(wantsLog ? { 'x-amz-log-result': Buffer.from(result.logTail).toString('base64') } : {}),
  });
  response.end(result.payload);
}
