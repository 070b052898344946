/** Who makes port calls: an execution environment. When it has crashed, nothing of it goes on. */
export interface Owner {
  readonly name: string;
  dead: boolean;
  /** Its own clock, and when it is ended. */
  readonly time: number;
  readonly deadline: number;
  crash(): void;
}

/** A harmless run of a generator between two `yield`s; a yielded function is what it waits for. */
export type Script = Generator<(() => boolean) | undefined, void, void>;

/** A fault of a directed test: the name of the one that happens at this point, if any. */
export type Director = (point: string, names: readonly string[]) => string | undefined;

export interface SimulatorOptions {
  readonly seed: number;
  /** Replays these decisions in place of random ones; behind its end all are harmless. */
  readonly tape?: readonly number[] | undefined;
  /** How many faults may happen. */
  readonly faults: number;
  readonly director?: Director | undefined;
  /** Faults that never happen. */
  readonly without?: readonly string[] | undefined;
  /** With a director: how far its faults go, within their limits (lag in writes, delay in steps). */
  readonly extent?: number | undefined;
  readonly trace?: boolean | undefined;
  readonly maxSteps?: number | undefined;
}

interface Item {
  readonly name: string;
  readonly owner: Owner | undefined;
  /** The await, for port calls. */
  readonly point: string | undefined;
  wake: number;
  waitsFor: (() => boolean) | undefined;
  done: boolean;
  /** True if promises have been settled, so that code may go on. */
  step(): boolean;
}

export class Livelock extends Error {
  override readonly name = 'Livelock';
}

/**
 * Deterministic scheduler for scripts (generators) and for promise-based code whose every await is a port call. Every random decision is
 * a number on a tape, and 0 is always the harmless choice: shrinking a schedule means writing zeros.
 */
export class Simulator {
  readonly tape: number[] = [];
  /** How often each fault has happened, by name; crashes also by await. */
  readonly fired = new Map<string, number>();
  readonly trace: string[] = [];
  private step = 0;
  private readonly options: SimulatorOptions;
  private readonly maxSteps: number;
  private faultsLeft: number;
  private isCalm = false;
  private position = 0;
  private random: number;
  private items: Item[] = [];
  private current: Item | undefined;
  private chance = 0;

  constructor(options: SimulatorOptions) {
    this.options = options;
    this.maxSteps = options.maxSteps ?? 30_000;
    this.faultsLeft = options.faults;
    this.random = Math.imul(options.seed, 7919) + 1;
  }

  get now(): number {
    return this.step;
  }

  /** One of 0 … n − 1: 0 with probability `p0`. */
  pick(n: number, p0: number): number {
    if (n <= 1) return 0;
    const { tape } = this.options;
    const drawn = tape ? (tape[this.position++] ?? 0) % n : this.draw() < p0 ? 0 : 1 + Math.floor(this.draw() * (n - 1));
    this.tape.push(drawn);
    return drawn;
  }

  /** How far a fault goes: 0 … n − 1. */
  extent(n: number, p0: number): number {
    return this.options.director ? Math.min(n - 1, this.options.extent ?? 0) : this.pick(n, p0);
  }

  /** One of the named faults, with probability `p` in all, if there are any left to happen. */
  fault(p: number, point: string, ...names: readonly string[]): string | undefined {
    if (this.isCalm) return undefined;
    const { director } = this.options;
    let name: string | undefined;
    if (director) {
      name = director(point, names);
    } else {
      const possible = names.filter((one) => this.options.without?.includes(one) !== true);
      if (this.faultsLeft <= 0 || possible.length === 0) return undefined;
      const drawn = this.pick(possible.length + 1, 1 - p);
      name = drawn === 0 ? undefined : possible[drawn - 1];
    }
    if (name === undefined) return undefined;
    this.faultsLeft--;
    this.count(name);
    this.count(`${name} @ ${point}`);
    this.log(`FAULT ${name} @ ${point}`);
    return name;
  }

  /** From now on no fault happens. */
  calm(): void {
    this.isCalm = true;
  }

  count(name: string): void {
    this.fired.set(name, (this.fired.get(name) ?? 0) + 1);
  }

  /** Never the same number twice; no decision, so not on the tape. */
  unique(): number {
    this.chance = (this.chance + 0.618_033_988_749_895) % 1;
    return this.chance;
  }

  log(text: string): void {
    if (this.options.trace === true) this.trace.push(`${String(this.step).padStart(5)} ${this.current?.name ?? '-'}: ${text}`);
  }

  spawn(name: string, script: Script, delay = 0): void {
    const item: Item = {
      name,
      owner: undefined,
      point: undefined,
      wake: this.step + delay,
      waitsFor: undefined,
      done: false,
      step: () => resume(),
    };
    const resume = (): boolean => {
      const { value, done } = script.next();
      item.done = done === true;
      item.waitsFor = done === true ? undefined : value;
      return true;
    };
    this.items.push(item);
  }

  /** Lets the running script sleep for some steps, from its next `yield`. */
  delay(steps: number): void {
    if (this.current) this.current.wake = this.step + steps;
  }

  /** Something that happens later by itself. */
  later(name: string, steps: number, action: () => void): void {
    this.spawn(
      name,
      (function* () {
        yield;
        action();
      })(),
      steps,
    );
  }

  /** A port call: held before its effect, and again between effect and answer. Both holds can last long, or for ever. */
  call<T>(owner: Owner, point: string, effect: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (owner.dead) return;
      let answer: (() => void) | undefined;
      const item: Item = {
        name: owner.name,
        owner,
        point,
        wake: this.step,
        waitsFor: undefined,
        done: false,
        step: () => {
          if (answer) {
            item.done = true;
            answer();
            return true;
          }
          answer = settle(effect, resolve, reject);
          return false;
        },
      };
      this.items.push(item);
    });
  }

  /** Runs until nothing can go on any more. */
  async run(): Promise<void> {
    let last: Item | undefined;
    for (;;) {
      if (this.step++ > this.maxSteps) throw new Livelock(`more than ${this.maxSteps} steps`);
      const item = this.next(last);
      if (!item) return;
      last = item;
      this.current = item;
      if (item.owner && this.disturb(item, item.owner)) continue;
      item.waitsFor = undefined;
      if (item.step()) await settled();
    }
  }

  private next(last: Item | undefined): Item | undefined {
    this.items = this.items.filter((item) => !item.done && item.owner?.dead !== true);
    let ready = this.items.filter((item) => item.wake <= this.step && (!item.waitsFor || item.waitsFor()));
    if (ready.length === 0) {
      const sleeping = this.items.filter((item) => item.wake > this.step);
      if (sleeping.length === 0) return undefined;
      this.step = Math.min(...sleeping.map((item) => item.wake));
      ready = this.items.filter((item) => item.wake <= this.step && (!item.waitsFor || item.waitsFor()));
      if (ready.length === 0) return this.next(last);
    }
    if (last) {
      const same = (item: Item): boolean => item === last || (item.owner !== undefined && item.owner === last.owner);
      ready = [...ready.filter(same), ...ready.filter((item) => !same(item))];
    }
    return ready[this.pick(ready.length, 0.55)];
  }

  /** A crash of the environment, or a pause of the call, in place of its next step. */
  private disturb(item: Item, owner: Owner): boolean {
    if (owner.time > owner.deadline) {
      this.count('out of time');
      owner.crash();
      return true;
    }
    const fault = this.fault(0.015, item.point ?? '', 'crash', 'pause');
    if (fault === 'crash') owner.crash();
    if (fault === 'pause') item.wake = this.step + 5 + this.extent(60, 0.1) * 6;
    return fault !== undefined;
  }

  private draw(): number {
    this.random = (this.random + 0x6d2b79f5) | 0;
    let t = Math.imul(this.random ^ (this.random >>> 15), 1 | this.random);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }
}

function settle<T>(effect: () => T, resolve: (value: T) => void, reject: (error: Error) => void): () => void {
  try {
    const value = effect();
    return () => {
      resolve(value);
    };
  } catch (error) {
    return () => {
      reject(error as Error);
    };
  }
}

/** Resolves when every microtask has run: the code under test awaits nothing but ports, so it then stands at its next call. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
