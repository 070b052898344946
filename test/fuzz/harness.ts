import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { createContext, runInNewContext, Script } from 'node:vm';
import { isMillraceError } from '../../functions/shared/errors.ts';
import { pick, type Random, randomOf } from './random.ts';
import type { FuzzTarget } from './target.ts';

/** What a parser did that none may do, and the input that made it. */
export interface Fault {
  readonly kind: 'undocumented error' | 'slow' | 'hang' | 'large allocation' | 'growth' | 'corpus refused';
  readonly detail: string;
  /** Base64. */
  readonly input: string;
}

export interface FuzzReport {
  readonly inputs: number;
  /** Inputs that gave a value. */
  readonly values: number;
  readonly codes: ReadonlyMap<string, number>;
  readonly faults: readonly Fault[];
}

export interface FuzzLimits {
  /** Longest time of one input, in ms; generous, because the machine has other work. */
  readonly slowMs: number;
  /** A parser that has not come back from `CHUNK` inputs after this long hangs. */
  readonly hangMs: number;
  /** Most that one input may add to heap and buffers. Inputs have 64 KiB at most. */
  readonly inputBytes: number;
  /** Most that all inputs together may leave behind. */
  readonly growthBytes: number;
}

const MIB = 1024 * 1024;
const LIMITS: FuzzLimits = { slowMs: 1000, hangMs: 10_000, inputBytes: 24 * MIB, growthBytes: 48 * MIB };

/** Inputs that are run under one watchdog: each costs a thread. */
const CHUNK = 500;
/** Faults that are kept; more of them say no more. */
const MAX_FAULTS = 5;

/** Runs the parser on the corpus, then on `inputs` damaged ones. */
export function fuzz(target: FuzzTarget, inputs: number, seed: number, limits: Partial<FuzzLimits> = {}): FuzzReport {
  return new Fuzzer(target, randomOf(seed), { ...LIMITS, ...limits }).run(inputs);
}

/** The only thing in Node that ends a synchronous loop of the same thread. */
const WATCHED = new Script('work()');

class Fuzzer {
  private readonly target: FuzzTarget;
  private readonly random: Random;
  private readonly limits: FuzzLimits;
  private readonly faults: Fault[] = [];
  private readonly codes = new Map<string, number>();
  private values = 0;
  private done = 0;
  private current: Buffer = Buffer.alloc(0);

  constructor(target: FuzzTarget, random: Random, limits: FuzzLimits) {
    this.target = target;
    this.random = random;
    this.limits = limits;
  }

  run(inputs: number): FuzzReport {
    if (!this.watch(() => this.tryCorpus())) return this.summary();
    const before = collected();
    while (this.done < inputs && this.faults.length < MAX_FAULTS) {
      const end = Math.min(inputs, this.done + CHUNK);
      if (!this.watch(() => this.runUntil(end))) break;
    }
    this.checkGrowth(before);
    return this.summary();
  }

  private summary(): FuzzReport {
    return { inputs: this.done, values: this.values, codes: this.codes, faults: this.faults };
  }

  /** Inputs that the parser refuses undamaged would test nothing. */
  private tryCorpus(): void {
    for (const input of this.target.corpus) {
      this.current = input;
      try {
        this.target.parse(input);
      } catch (error) {
        this.report('corpus refused', String(error));
      }
    }
  }

  private runUntil(end: number): void {
    let used = usedBytes();
    while (this.done < end && this.faults.length < MAX_FAULTS) {
      this.current = this.target.mutate(pick(this.random, this.target.corpus), this.random, this.target.corpus);
      const started = performance.now();
      this.runOne(this.current);
      const elapsed = performance.now() - started;
      if (elapsed > this.limits.slowMs) this.report('slow', `${Math.round(elapsed)} ms`);
      const now = usedBytes();
      if (now - used > this.limits.inputBytes) this.report('large allocation', `${now - used} bytes of ${this.current.length}`);
      used = now;
      this.done++;
    }
  }

  private runOne(input: Buffer): void {
    try {
      this.target.parse(input);
      this.values++;
    } catch (error) {
      this.judge(error);
    }
  }

  private judge(error: unknown): void {
    const { codes, isDocumented } = this.target;
    if (isMillraceError(error) ? codes.includes(error.code) : isDocumented?.(error)) {
      const name = isMillraceError(error) ? error.code : (error as Error).name;
      this.codes.set(name, (this.codes.get(name) ?? 0) + 1);
    } else {
      this.report('undocumented error', error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
  }

  /** Ends even a loop without an end; false if it had to. */
  private watch(work: () => void): boolean {
    try {
      WATCHED.runInContext(createContext({ work }), { timeout: this.limits.hangMs });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      this.report('hang', `not back after ${this.limits.hangMs} ms`);
      return false;
    }
  }

  private checkGrowth(before: number): void {
    let grown = usedBytes() - before;
    if (grown > this.limits.growthBytes) grown = collected() - before;
    if (grown > this.limits.growthBytes) this.report('growth', `${grown} bytes are still held after ${this.done} inputs`);
  }

  private report(kind: Fault['kind'], detail: string): void {
    this.faults.push({ kind, detail, input: this.current.toString('base64') });
  }
}

function usedBytes(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}

/** What is in use after a full collection. */
function collected(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return usedBytes();
}
