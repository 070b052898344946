import type { LogicalGraph } from '../../functions/graph/logical-graph.ts';
import type { PipelinePlan, StagePlan } from '../../functions/graph/stage-plan.ts';
import type { KafkaBatchResponse, StageHandler } from '../../functions/runtime/lambda.ts';
import { DEFAULT_RUNTIME_OPTIONS } from '../../functions/runtime/stage-runtime.ts';
import { isMillraceError } from '../../functions/shared/errors.ts';
import type { WorldConfig } from './config.ts';
import type { RuntimeModule } from './runtime-module.ts';
import type { SimLog } from './sim-log.ts';
import type { SimState } from './sim-state.ts';
import type { SimTransactions } from './sim-transactions.ts';
import type { Owner, Simulator } from './simulator.ts';

/** Execution environments a stage. */
const ENVIRONMENTS = 2;
/** Time that an invocation has, in ms: plenty, or not enough for a long batch. In a slow world each message takes one. */
const REMAINING_MS = { plenty: 60_000, short: 16 };

/** Errors that faults explain; all others are findings. */
const EXPECTED = new Set([
  'MILLRACE_OUTCOME_UNKNOWN',
  'MILLRACE_PRODUCE_FAILED',
  'MILLRACE_CONNECTION_LOST',
  'MILLRACE_FENCED',
  'MILLRACE_CONFLICT',
]);

export interface Invocation {
  readonly name: string;
  done: boolean;
  killed: boolean;
  response: KafkaBatchResponse | undefined;
  error: unknown;
}

export interface StageServices {
  readonly simulator: Simulator;
  readonly state: SimState;
  readonly log: SimLog;
  readonly transactions: SimTransactions;
  readonly onLog: (line: string) => void;
}

/** One execution environment: a handler, and what it keeps between invocations. A crash ends all that runs in it. */
class Environment implements Owner {
  readonly name: string;
  dead = false;
  /** The environment's own clock, and when Lambda ends what runs in it. */
  time = 1000;
  deadline = Infinity;
  readonly running = new Set<Invocation>();
  readonly handler: StageHandler;
  private readonly onCrash: () => void;

  constructor(name: string, createHandler: (owner: Environment) => StageHandler, onCrash: () => void) {
    this.name = name;
    this.handler = createHandler(this);
    this.onCrash = onCrash;
  }

  crash(): void {
    this.dead = true;
    for (const invocation of this.running) Object.assign(invocation, { done: true, killed: true });
    this.onCrash();
  }
}

/** The function of one stage: environments that come and go, and what became of their invocations. */
export class StageFunction {
  readonly stage: StagePlan;
  /** Errors that no fault explains. */
  readonly unexpected: string[] = [];
  invocations = 0;
  private readonly services: StageServices;
  private readonly config: WorldConfig;
  private readonly environments: Environment[];
  private readonly createHandler: (owner: Environment) => StageHandler;
  private started = 0;

  constructor(
    runtime: RuntimeModule,
    plan: PipelinePlan,
    stage: StagePlan,
    graph: LogicalGraph,
    services: StageServices,
    config: WorldConfig,
  ) {
    this.stage = stage;
    this.services = services;
    this.config = config;
    const { determinismEvery, chunkBytes, maxDeltas, minCompactionBytes } = config;
    const options = { ...DEFAULT_RUNTIME_OPTIONS, determinismEvery, chunkBytes, maxDeltas, minCompactionBytes };
    this.createHandler = (owner) => {
      const ports = {
        channels: services.log.connect(owner, stage.fenced ? 'A6' : 'S3'),
        transactions: services.transactions.connect(owner),
        state: stage.fenced ? services.state.connect(owner) : undefined,
        clock: this.clock(owner),
        print: () => undefined,
        log: services.onLog,
      };
      return runtime.createStageRuntime(plan, stage.id, graph, ports, options);
    };
    this.environments = Array.from({ length: ENVIRONMENTS }, (_, slot) => this.start(slot));
  }

  invoke(event: object, what: string): Invocation {
    const slot = this.config.rotating ? this.invocations % ENVIRONMENTS : this.services.simulator.pick(ENVIRONMENTS, 0.6);
    const environment = this.environments[slot] ?? this.start(slot);
    const name = `${environment.name}#${++this.invocations}`;
    const invocation: Invocation = { name, done: false, killed: false, response: undefined, error: undefined };
    environment.running.add(invocation);
    this.services.simulator.log(`invoke ${name} ${what}`);
    const remaining = this.config.slow ? REMAINING_MS.short : REMAINING_MS.plenty;
    environment.deadline = environment.time + remaining + 1;
    void environment.handler(event, { getRemainingTimeInMillis: () => remaining }).then(
      (response) => {
        this.finish(environment, invocation, { response });
      },
      (error: unknown) => {
        this.finish(environment, invocation, { error });
      },
    );
    return invocation;
  }

  private finish(environment: Environment, invocation: Invocation, result: Partial<Invocation>): void {
    environment.running.delete(invocation);
    Object.assign(invocation, result, { done: true });
    const { error } = result;
    this.services.simulator.log(`end ${invocation.name}: ${error === undefined ? JSON.stringify(result.response) : describe(error)}`);
    if (error !== undefined) this.judge(error);
  }

  private judge(error: unknown): void {
    if (isMillraceError(error)) {
      this.services.simulator.count(`error ${error.code}`);
      if (EXPECTED.has(error.code) || error.code === 'MILLRACE_GENERATION_REFUSED') return;
    }
    this.unexpected.push(`${this.stage.id}: ${error instanceof Error ? (error.stack ?? error.message) : 'not an Error'}`);
  }

  private start(slot: number): Environment {
    return new Environment(`${this.stage.id}e${slot}.${this.started++}`, this.createHandler, () => {
      this.environments[slot] = this.start(slot);
    });
  }

  private clock(environment: Environment): { now(): number; sleep(ms: number): Promise<void>; random(): number } {
    const { simulator } = this.services;
    return {
      now: () => (this.config.slow ? ++environment.time : environment.time),
      sleep: (ms) => simulator.call(environment, 'sleep', () => void (environment.time += ms)),
      random: () => simulator.unique(),
    };
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, 120) : 'not an Error';
}
