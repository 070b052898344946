import { type PackedEvent, UNPACK_EVENT } from './packed-event.ts';

/**
 * What an execution environment runs before the bundle, as source text for `new Worker(text, { eval: true })`: workers inherit no loader
 * of the parent, and the same text works from source and from both published builds.
 *
 * Messages to the parent, in order: `output` at every write, so that nothing is lost when the thread is killed; `ready` or
 * `initFailed`; `done` for each invocation; `crash` before a fatal exit.
 */
export const WORKER_BOOTSTRAP = `'use strict';
const { parentPort, workerData } = require('node:worker_threads');
const diagnostics = require('node:diagnostics_channel');
const v8 = require('node:v8');
const { SourceMap } = require('node:module');
const { readFileSync } = require('node:fs');
const { dirname } = require('node:path');

const { bundlePath, functionName, functionArn, memoryMb } = workerData;
let metrics = [];

for (const stream of ['stdout', 'stderr']) {
  process[stream].write = (chunk, encoding, callback) => {
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    parentPort.postMessage({ kind: 'output', stream, text });
    const done = typeof encoding === 'function' ? encoding : callback;
    if (done) process.nextTick(done);
    return true;
  };
}

diagnostics.subscribe('millrace:stage:batch', (message) => metrics.push(message));

let bundleFile;
let sourceMap;
/** The bundle's, which lies beside its folder; read when the first stack is asked for. */
function readSourceMap() {
  try {
    return new SourceMap(JSON.parse(readFileSync(dirname(bundlePath) + '.js.map', 'utf8')));
  } catch {
    return undefined; // a bundle of somebody else's
  }
}

/** A line of a stack, with the place in the source in place of that in the bundle. */
function toSourceLine(site) {
  const text = '    at ' + site;
  if (site.getFileName() !== bundleFile) return text;
  sourceMap ??= readSourceMap() ?? null;
  const entry = sourceMap?.findEntry(site.getLineNumber() - 1, site.getColumnNumber() - 1);
  if (entry?.originalSource === undefined) return text;
  const place = bundleFile + ':' + site.getLineNumber() + ':' + site.getColumnNumber();
  return text.replace(place, () => entry.originalSource + ':' + (entry.originalLine + 1) + ':' + (entry.originalColumn + 1));
}

Error.prepareStackTrace = (error, sites) => {
  let title = 'Error';
  try {
    title = Error.prototype.toString.call(error);
  } catch {} // its name or message throws
  return [title, ...sites.map(toSourceLine)].join('\\n');
};

function toError(thrown, type) {
  const error = thrown instanceof Error ? thrown : undefined;
  return {
    errorType: type ?? error?.name ?? typeof thrown,
    errorMessage: error ? error.message : String(thrown),
    ...(error?.code === undefined ? {} : { code: String(error.code) }),
    trace: error?.stack ? error.stack.split('\\n') : [],
  };
}

function crash(error) {
  parentPort.postMessage({ kind: 'crash', error });
  process.exit(1);
}
process.on('uncaughtException', (thrown) => crash(toError(thrown)));
process.on('unhandledRejection', (reason) => crash({ ...toError(reason, 'Runtime.UnhandledPromiseRejection') }));

function toContext({ requestId, deadline, clientContext }) {
  return {
    awsRequestId: requestId,
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: functionArn,
    memoryLimitInMB: String(memoryMb),
    logGroupName: '/aws/lambda/' + functionName,
    logStreamName: 'local',
    ...(clientContext === undefined ? {} : { clientContext: JSON.parse(clientContext) }),
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

${UNPACK_EVENT}
function toEvent(payload) {
  return typeof payload === 'string' ? JSON.parse(payload) : unpackEvent(payload);
}

async function invoke(handler, invocation) {
  const reply = { kind: 'done', requestId: invocation.requestId, payload: '', error: undefined, metrics: [], heapBytes: 0 };
  metrics = reply.metrics;
  try {
    const result = await handler(toEvent(invocation.payload), toContext(invocation));
    reply.payload = JSON.stringify(result === undefined ? null : result);
  } catch (thrown) {
    reply.error = toError(thrown);
  }
  reply.heapBytes = v8.getHeapStatistics().total_heap_size;
  parentPort.postMessage(reply);
}

function load() {
  bundleFile = require.resolve(bundlePath);
  const { handler } = require(bundleFile);
  if (typeof handler !== 'function') throw Object.assign(new Error(bundlePath + ' exports no function named handler'), { name: 'Runtime.HandlerNotFound' });
  return handler;
}

const started = performance.now();
try {
  const handler = load();
  parentPort.on('message', (invocation) => invoke(handler, invocation));
  parentPort.postMessage({ kind: 'ready', initMs: performance.now() - started });
} catch (thrown) {
  parentPort.postMessage({ kind: 'initFailed', error: toError(thrown) });
}
`;

/** Lambda's description of what a function threw; `code` is Millrace's addition. */
export interface FunctionErrorBody {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly code?: string;
  readonly trace?: readonly string[];
}

/** An event: JSON, or what a mapping of this process has packed. */
export type InvocationPayload = string | PackedEvent;

/** What the bootstrap takes. */
export interface WorkerInvocation {
  readonly requestId: string;
  /** The event, as JSON or packed: made into objects in the worker, which is cheaper than cloning them. */
  readonly payload: InvocationPayload;
  /** Wall time in ms at which the invocation times out. */
  readonly deadline: number;
  /** JSON. */
  readonly clientContext: string | undefined;
}

/** What the bootstrap sends. */
export type WorkerMessage =
  | { readonly kind: 'output'; readonly stream: 'stdout' | 'stderr'; readonly text: string }
  | { readonly kind: 'ready'; readonly initMs: number }
  | { readonly kind: 'initFailed' | 'crash'; readonly error: FunctionErrorBody }
  | {
      readonly kind: 'done';
      readonly requestId: string;
      readonly payload: string;
      readonly error: FunctionErrorBody | undefined;
      readonly metrics: readonly unknown[];
      readonly heapBytes: number;
    };
