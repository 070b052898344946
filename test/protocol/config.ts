/** What a schedule is about, apart from what happens in it. Everything follows from the seed, unless a test fixes it. */
export interface WorldConfig {
  readonly seed: number;
  /** `chain`: A → B → C. `fanin`: A and Z → B → C. `direct`: B reads the source itself. B and C keep state, A and Z do not. */
  readonly topology: 'chain' | 'fanin' | 'direct';
  /** Partitions of each source topic. */
  readonly partitions: number;
  readonly tasksB: number;
  readonly tasksC: number;
  readonly records: number;
  readonly keys: number;
  readonly faults: number;
  readonly frameBytes: number;
  readonly chunkBytes: number;
  readonly maxDeltas: number;
  readonly minCompactionBytes: number;
  readonly stateFragments: number;
  readonly maxAttempts: number;
  readonly determinismEvery: number;
  /** Some records are older than the watermark; only with one source partition, where the oracle knows exactly which. */
  readonly late: boolean;
  /** Some records throw in B. */
  readonly poison: boolean;
  /**
   * Some of them only until somebody mends the function. An attempt that begins from an old fence after that would publish what a verdict
   * has excluded (an error that comes and goes: the known limit of section 6), so there are no old reads and no zombies then.
   */
  readonly mends: boolean;
  /** Some timers throw. */
  readonly poisonTimers: boolean;
  /** Some records throw in their first attempt. */
  readonly hiccups: boolean;
  /** Some messages of the source cannot be decoded. */
  readonly badInput: boolean;
  readonly ticks: boolean;
  /** A hop by rebalance between A and B. */
  readonly rebalance: boolean;
  /** The topics end at an offset, and clocks end the input; else a last record lifts the watermark. */
  readonly bounded: boolean;
  /** Partial batch responses. */
  readonly partial: boolean;
  /** Source topics have log append times; else creation times, in any order. */
  readonly logTime: boolean;
  /** Time passes inside of a batch, and there is little of it. */
  readonly slow: boolean;
  /** Every invocation goes to the next environment; else chance decides. */
  readonly rotating: boolean;
  /** One event brings batches of several partitions. */
  readonly grouped: boolean;
  /** One record puts out more than a topic takes. */
  readonly huge: boolean;
  /** B, and C with an exactly-once sink, commit outputs with their state, and their functions are not deterministic. */
  readonly journal: boolean;
  /** Nothing but A and an exactly-once sink: no fence anywhere. */
  readonly bare: boolean;
  /** The sink is an exactly-once sink. */
  readonly exactlyOnce: boolean;
  /** Dead letters are replayed: again and again, by several at once; at last, when all that failed has been mended. */
  readonly replay: boolean;
  /**
   * Clocks declare partitions of the sources idle: at any time when they are drained, so that records may be late; or once they hold all
   * that they ever will, so that none may.
   */
  readonly idle: 'never' | 'anytime' | 'drained';
  /** Messages per batch, at most. */
  readonly batch: number;
}

/** Rules of the harness that a mutant switches off. */
export interface WorldSwitches {
  readonly endEarly?: boolean;
  readonly endNotFixed?: boolean;
  readonly endByFrame?: boolean;
  readonly copiesOfLetters?: boolean;
  readonly idleWithLag?: boolean;
}

/** Everything in a world's pipeline that follows from the seed alone. */
export function createRandom(seed: number): (n: number) => number {
  let state = Math.imul(seed, 2_654_435_761) >>> 0;
  const next = (): number => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) / 4_294_967_296;
  for (let i = 0; i < 5; i++) next();
  return (n) => Math.floor(next() * n);
}

export function createConfig(seed: number, fixed: Partial<WorldConfig> = {}): WorldConfig {
  const n = createRandom(seed);
  const one = (of: number): boolean => n(of) === 0;
  const drawn: WorldConfig = {
    seed,
    topology: (['chain', 'chain', 'fanin', 'direct'] as const)[n(4)] ?? 'chain',
    partitions: 1 + n(2),
    tasksB: 1 + n(2),
    tasksC: 1 + n(2),
    records: 4 + n(9),
    keys: 1 + n(3),
    faults: n(14),
    frameBytes: [40, 90, 160, 100_000][n(4)] ?? 40,
    chunkBytes: [150, 400, 100_000][n(3)] ?? 150,
    maxDeltas: 1 + n(4),
    minCompactionBytes: [100, 1000, 100_000][n(3)] ?? 100,
    stateFragments: [1, 2, 16][n(3)] ?? 1,
    maxAttempts: 1 + n(3),
    determinismEvery: n(2),
    late: one(4),
    poison: one(4),
    mends: one(2),
    poisonTimers: one(5),
    hiccups: one(4),
    badInput: one(4),
    ticks: one(4),
    rebalance: one(6),
    bounded: one(2),
    partial: one(2),
    logTime: one(2),
    slow: one(4),
    rotating: false,
    grouped: one(4),
    batch: 1 + n(4) * (1 + n(4)),
    huge: false,
    journal: one(5),
    exactlyOnce: one(3),
    bare: one(8),
    replay: one(4),
    idle: (['anytime', 'drained', 'never', 'never', 'never', 'never'] as const)[n(6)] ?? 'never',
    ...fixed,
  };
  return { ...drawn, ...compatible(drawn) };
}

/** Faults after which an attempt works on from what has been. */
export const ZOMBIES: readonly string[] = [
  ...['pause', 'old read', 'new session', 'write applied later', 'produce late'],
  ...['duplicate invocation', 'function timeout', 'offset reset'],
];

/** What a world without a stage that keeps state can have. */
const BARE: Partial<WorldConfig> = {
  ...{ topology: 'chain', exactlyOnce: true, journal: false, rebalance: false, late: false, huge: false },
  ...{ poison: false, mends: false, poisonTimers: false, hiccups: false, ticks: false, replay: false, idle: 'never' },
};

/** Takes back what the oracle could not judge, or what cannot go together. */
function compatible(config: WorldConfig): Partial<WorldConfig> {
  const { late, hiccups, topology, rebalance, ticks, poison, replay, bounded } = config;
  const direct = topology === 'direct';
  if (config.bare) return BARE;
  return {
    ...(late && { partitions: 1, topology: topology === 'fanin' ? 'chain' : topology, poison: poison && !direct, rebalance: false }),
    ...(direct && { rebalance: false, ticks: ticks && config.bounded }),
    mends: config.mends && poison && !(late && direct),
    ...(rebalance && late && { rebalance: false }),
    // Late records are those that the oracle knows of; and B's own source has no channel that a clock could write to.
    ...((late || direct) && { idle: 'never' as const }),
    // A message behind the end of its topic is not read.
    replay: replay && !(direct && bounded) && !config.huge,
    ...(hiccups && { maxAttempts: Math.max(2, config.maxAttempts) }),
  };
}
