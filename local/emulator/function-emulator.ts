import { randomUUID } from 'node:crypto';
import { MillraceError } from '../../functions/shared/errors.ts';
import { systemLocalClock, type LocalClock } from '../local-clock.ts';
import type { InvocationPayload } from './worker-bootstrap.ts';
import { ExecutionEnvironment, type EnvironmentConfig, type InvocationOutcome, type OutputListener } from './execution-environment.ts';

/** Region and account of everything local, for names that must look like AWS's. */
const ARN_PREFIX = 'arn:aws:lambda:us-east-1:000000000000:function:';

export interface FunctionOptions {
  readonly name: string;
  /** CommonJS file that exports `handler`. */
  readonly bundlePath: string;
  /** The function's own environment variables; Lambda's are added. */
  readonly env?: Readonly<Record<string, string>>;
  /** @default 60000 */
  readonly timeoutMs?: number;
  /** Limit of the JavaScript heap, in MiB. @default 512 */
  readonly memoryMb?: number;
  /** Reserved concurrency: more invocations at a time are throttled. @default 1000, as of an AWS account */
  readonly concurrency?: number;
  readonly clock?: LocalClock;
  /** Gets what the function prints, in pieces as they come. */
  readonly onOutput?: OutputListener;
}

export interface InvokeOptions {
  /** Prefers the environment that served this name last: a task's state is warm there. Lambda promises no such thing. */
  readonly affinity?: string;
  /** JSON, for the function's context. */
  readonly clientContext?: string;
}

export interface InvocationResult extends InvocationOutcome {
  readonly requestId: string;
  /** True if an environment was made for it. */
  readonly isCold: boolean;
}

/**
 * A Lambda function on this machine: execution environments that are made when no idle one is left, kept warm, and replaced when they
 * break.
 */
export class FunctionEmulator {
  readonly name: string;
  readonly arn: string;
  /** Environments made so far. */
  coldStarts = 0;
  private readonly config: EnvironmentConfig;
  private readonly concurrency: number;
  private readonly clock: LocalClock;
  private readonly onOutput: OutputListener;
  private readonly environments = new Set<ExecutionEnvironment>();
  /** The most recently used last. */
  private readonly idle: ExecutionEnvironment[] = [];
  private readonly favorites = new Map<string, ExecutionEnvironment>();
  private readonly inFlight = new Set<Promise<unknown>>();
  private isClosed = false;

  constructor(options: FunctionOptions) {
    this.name = options.name;
    this.arn = ARN_PREFIX + options.name;
    this.concurrency = options.concurrency ?? 1000;
    this.clock = options.clock ?? systemLocalClock;
    this.onOutput = options.onOutput ?? (() => undefined);
    const { bundlePath, timeoutMs = 60_000, memoryMb = 512 } = options;
    const env = { ...lambdaEnv(options.name, memoryMb), ...options.env };
    this.config = { name: options.name, arn: this.arn, bundlePath, env, timeoutMs, memoryMb };
  }

  /** Invocations under way. */
  get busy(): number {
    return this.environments.size - this.idle.length;
  }

  /**
   * Runs the handler on an event. What the function throws, a timeout and a crash are results with `error` set.
   *
   * @throws MILLRACE_FUNCTION_THROTTLED the concurrency limit is reached, or the function was closed; nothing ran.
   */
  async invoke(payload: InvocationPayload, options: InvokeOptions = {}): Promise<InvocationResult> {
    // Callers wait and ask again, until they notice that they are to stop: nobody reports it.
    if (this.isClosed) throw new MillraceError('MILLRACE_FUNCTION_THROTTLED', `function ${this.name} was closed`);
    const [environment, isCold] = this.take(options.affinity);
    const requestId = randomUUID();
    const running = environment.run(requestId, payload, options.clientContext);
    this.inFlight.add(running);
    try {
      return { ...(await running), requestId, isCold };
    } finally {
      this.inFlight.delete(running);
      this.giveBack(environment);
    }
  }

  /** Kills every environment, busy or idle: the next invocations start cold. */
  async recycle(): Promise<void> {
    const all = [...this.environments];
    this.environments.clear();
    this.idle.length = 0;
    await Promise.all(all.map((environment) => environment.terminate()));
  }

  /** Waits for what is under way, then ends the environments; from now on nothing runs. */
  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.allSettled(this.inFlight);
    await this.recycle();
  }

  private take(affinity: string | undefined): [environment: ExecutionEnvironment, isCold: boolean] {
    this.forgetDead();
    const favorite = affinity === undefined ? undefined : this.favorites.get(affinity);
    const at = favorite ? this.idle.lastIndexOf(favorite) : -1;
    const warm = at >= 0 ? this.idle.splice(at, 1)[0] : this.idle.pop();
    const environment = warm ?? this.start();
    if (affinity !== undefined) this.favorites.set(affinity, environment);
    return [environment, warm === undefined];
  }

  /** Leaves out environments that ended while they were idle. */
  private forgetDead(): void {
    for (let i = this.idle.length - 1; i >= 0; i--) {
      const environment = this.idle[i] as ExecutionEnvironment;
      if (environment.isAlive) continue;
      this.idle.splice(i, 1);
      this.environments.delete(environment);
    }
  }

  private start(): ExecutionEnvironment {
    if (this.busy >= this.concurrency)
      throw new MillraceError(
        'MILLRACE_FUNCTION_THROTTLED',
        `function ${this.name} runs ${this.busy} times at once, its concurrency limit`,
      );
    const environment = new ExecutionEnvironment(this.config, this.clock, this.onOutput);
    this.environments.add(environment);
    this.coldStarts++;
    return environment;
  }

  private giveBack(environment: ExecutionEnvironment): void {
    if (!this.environments.has(environment)) return;
    if (environment.isAlive) this.idle.push(environment);
    else this.environments.delete(environment);
  }
}

function lambdaEnv(name: string, memoryMb: number): Record<string, string> {
  return {
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
    AWS_REGION: 'us-east-1',
    TZ: ':UTC',
  };
}
