import { Worker } from 'node:worker_threads';
import type { BatchMetrics } from '../../functions/runtime/metrics.ts';
import type { LocalClock } from '../local-clock.ts';
import {
  WORKER_BOOTSTRAP,
  type FunctionErrorBody,
  type InvocationPayload,
  type WorkerInvocation,
  type WorkerMessage,
} from './worker-bootstrap.ts';

/** Lambda gives a function this long to load. */
const INIT_LIMIT_MS = 10_000;
/** Lambda returns this much of the log with `LogType: Tail`. */
const TAIL_BYTES = 4096;

export interface EnvironmentConfig {
  readonly name: string;
  readonly arn: string;
  /** CommonJS file that exports `handler`. */
  readonly bundlePath: string;
  /** The whole environment of the function; nothing of this process's is added. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly memoryMb: number;
}

/** How one invocation ended. */
export interface InvocationOutcome {
  /** The function's result as JSON, or the error's. */
  readonly payload: string;
  readonly error: FunctionErrorBody | undefined;
  readonly metrics: readonly BatchMetrics[];
  readonly durationMs: number;
  /** The last 4 KB of the log, with Lambda's START, END and REPORT lines. */
  readonly logTail: string;
}

interface Running {
  readonly invocation: WorkerInvocation;
  readonly startedAt: number;
  readonly finish: (outcome: InvocationOutcome) => void;
  log: string;
  stopTimer: () => void;
}

/** Called with what a function writes, as it comes. */
export type OutputListener = (stream: 'stdout' | 'stderr', text: string) => void;

/**
 * One execution environment: a worker thread that has loaded the bundle and runs one invocation at a time. It ends when the function
 * times out, runs out of memory or throws outside its handler, as Lambda's does. The memory limit holds for the JavaScript heap only.
 */
export class ExecutionEnvironment {
  private readonly config: EnvironmentConfig;
  private readonly clock: LocalClock;
  private readonly onOutput: OutputListener;
  private readonly worker: Worker;
  private readonly exited: Promise<void>;
  private running: Running | undefined;
  private initMs: number | undefined;
  private isReported = false;
  /** Why the environment is about to end, if it said so. */
  private lastWords: FunctionErrorBody | undefined;
  isAlive = true;

  constructor(config: EnvironmentConfig, clock: LocalClock, onOutput: OutputListener) {
    this.config = config;
    this.clock = clock;
    this.onOutput = onOutput;
    this.worker = new Worker(WORKER_BOOTSTRAP, {
      eval: true,
      execArgv: [],
      name: config.name,
      env: config.env,
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: config.memoryMb },
      workerData: { bundlePath: config.bundlePath, functionName: config.name, functionArn: config.arn, memoryMb: config.memoryMb },
    });
    this.worker.on('message', (message: WorkerMessage) => this.receive(message));
    this.worker.on('error', (error: NodeJS.ErrnoException) => this.note(error));
    // What the runtime itself prints when it dies; everything else comes as messages.
    for (const stream of ['stdout', 'stderr'] as const)
      this.worker[stream].on('data', (chunk: Buffer) => this.output(stream, chunk.toString()));
    this.exited = new Promise((resolve) => {
      this.worker.once('exit', () => {
        this.end();
        resolve();
      });
    });
  }

  /** Runs one invocation; the environment must be idle. Never rejects. */
  run(requestId: string, payload: InvocationPayload, clientContext: string | undefined): Promise<InvocationOutcome> {
    const startedAt = this.clock.now();
    const invocation = { requestId, payload, clientContext, deadline: startedAt + this.config.timeoutMs };
    return new Promise((finish) => {
      this.running = { invocation, startedAt, finish, log: `START RequestId: ${requestId} Version: $LATEST\n`, stopTimer: () => undefined };
      if (this.initMs === undefined) this.startTimer(INIT_LIMIT_MS);
      else this.begin();
    });
  }

  /** Kills the thread; an invocation under way fails. */
  async terminate(): Promise<void> {
    this.isAlive = false;
    await this.worker.terminate();
    await this.exited;
  }

  private begin(): void {
    const { running } = this;
    if (!running) return;
    running.stopTimer();
    this.startTimer(this.config.timeoutMs);
    this.worker.postMessage(running.invocation);
  }

  private startTimer(ms: number): void {
    if (this.running) this.running.stopTimer = this.clock.after(ms, () => this.timeOut(ms));
  }

  private timeOut(ms: number): void {
    const seconds = (ms / 1000).toFixed(2);
    this.lastWords = {
      errorType: 'Sandbox.Timedout',
      errorMessage: `RequestId: ${this.requestId} Error: Task timed out after ${seconds} seconds`,
    };
    void this.terminate();
  }

  private receive(message: WorkerMessage): void {
    if (message.kind === 'output') this.output(message.stream, message.text);
    else if (message.kind === 'ready') {
      this.initMs = message.initMs;
      this.begin();
    } else if (message.kind === 'done') {
      const payload = message.error ? JSON.stringify(message.error) : message.payload;
      this.finish(payload, message.error, message.metrics as readonly BatchMetrics[], message.heapBytes);
    } else {
      this.lastWords = message.error;
      if (message.kind === 'initFailed') void this.terminate();
    }
  }

  private output(stream: 'stdout' | 'stderr', text: string): void {
    if (this.running) this.running.log = (this.running.log + text).slice(-4 * TAIL_BYTES);
    this.onOutput(stream, text);
  }

  private note(error: NodeJS.ErrnoException): void {
    const isMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    this.lastWords ??= isMemory ? this.exitError('signal: killed') : { errorType: error.name, errorMessage: error.message };
  }

  /** The thread has ended. */
  private end(): void {
    this.isAlive = false;
    const error = this.lastWords ?? this.exitError('exit status 1');
    this.finish(JSON.stringify(error), error, [], 0);
  }

  private exitError(how: string): FunctionErrorBody {
    return { errorType: 'Runtime.ExitError', errorMessage: `RequestId: ${this.requestId} Error: Runtime exited with error: ${how}` };
  }

  private get requestId(): string {
    return this.running?.invocation.requestId ?? '';
  }

  private finish(payload: string, error: FunctionErrorBody | undefined, metrics: readonly BatchMetrics[], heapBytes: number): void {
    const { running } = this;
    if (!running) return;
    this.running = undefined;
    running.stopTimer();
    const durationMs = this.clock.now() - running.startedAt;
    const log =
      running.log + (error ? `${JSON.stringify(error)}\n` : '') + this.closingLines(running.invocation.requestId, durationMs, heapBytes);
    running.finish({ payload, error, metrics, durationMs, logTail: lastBytes(log) });
  }

  private closingLines(requestId: string, durationMs: number, heapBytes: number): string {
    const init = this.isReported || this.initMs === undefined ? '' : `Init Duration: ${this.initMs.toFixed(2)} ms\t`;
    this.isReported = true;
    const used = Math.ceil(heapBytes / 1_048_576);
    return (
      `END RequestId: ${requestId}\n` +
      `REPORT RequestId: ${requestId}\tDuration: ${durationMs.toFixed(2)} ms\tBilled Duration: ${Math.ceil(durationMs)} ms\t` +
      `Memory Size: ${this.config.memoryMb} MB\tMax Memory Used: ${used} MB\t${init}\n`
    );
  }
}

function lastBytes(log: string): string {
  if (log.length <= TAIL_BYTES / 4) return log;
  const bytes = Buffer.from(log);
  return bytes.subarray(Math.max(0, bytes.length - TAIL_BYTES)).toString();
}
