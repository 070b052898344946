/** `npm run bench:peers`: Millrace and its peers over the same topics of a real Kafka, side by side. README.md says what is measured. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Server } from '../../services/server.ts';
import { buildJava, workFolder } from './java.ts';
import { Meter, type Result } from './meter.ts';
import { benchBroker, benchZooKeeper } from './services.ts';
import { type Command, queries, systems } from './systems.ts';
import { describeResults } from './table.ts';

const usage = `npm run bench:peers -- [all | throughput | latency | table] [REGEX] [OPTION …]
npm run bench:peers -- one LABEL QUERY -- COMMAND …
npm run bench:peers -- latency-one LABEL -- COMMAND …
npm run bench:peers -- up | down

all, throughput, latency  what REGEX matches of "label query", or everything; then the tables
table                     the tables of all runs so far
one, latency-one          another system, against the same topics: README.md says what it has to do
up, down                  starts the servers, which then stay for further runs, or ends them and removes their data and all results

--reps N      runs of each system and query, interleaved (3)
--events N    input of a run (1000000)
--rate N      events a second where latency is measured (2000)
--quiet-s N   longest wait for a quiet machine before each run, in s (60)
--no-build    takes what was built before
QUERY is ${queries.join(', ')}.
`;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

interface Options {
  readonly reps: number;
  readonly events: number;
  readonly rate: number;
  readonly quietS: number;
}

class Bench {
  private readonly options: Options;
  private readonly broker = benchBroker();
  private readonly zookeeper = benchZooKeeper();
  private readonly meter: Meter;

  constructor(options: Options) {
    this.options = options;
    this.meter = new Meter(this.broker, this.zookeeper, options.quietS * 1000);
  }

  /** Starts what does not run yet; ends the same afterwards. */
  async withServers(work: () => Promise<void>): Promise<void> {
    const started: Server[] = [];
    try {
      for (const server of [this.broker, this.zookeeper]) if (await server.start()) started.push(server);
      await this.meter.prepare(this.options.events);
      await work();
    } finally {
      await Promise.all(started.map((server) => (server === this.zookeeper ? server.remove() : server.stop())));
    }
  }

  async up(): Promise<void> {
    for (const server of [this.broker, this.zookeeper]) if (await server.start()) say(`started ${server.title} on ${server.address}`);
    await this.meter.prepare(this.options.events);
  }

  async down(): Promise<void> {
    await Promise.all([this.broker.remove(), this.zookeeper.remove()]);
  }

  /** Repetitions are interleaved, so that a slow hour of the machine touches every system alike. */
  async throughput(pattern: RegExp): Promise<void> {
    for (let rep = 0; rep < this.options.reps; rep++)
      for (const query of queries)
        for (const { label, command } of systems.filter((system) => system.queries.includes(query)))
          if (pattern.test(`${label} ${query}`)) await this.one(label, query, command(false));
  }

  async latency(pattern: RegExp): Promise<void> {
    for (let rep = 0; rep < this.options.reps; rep++)
      for (const { label, command } of systems.filter(({ measuresLatency }) => measuresLatency))
        if (pattern.test(`${label} q12`)) await this.latencyOne(label, command(true));
  }

  async one(label: string, query: string, command: Command): Promise<void> {
    keep('throughput', await this.meter.throughput(label, query, this.options.events, command));
  }

  async latencyOne(label: string, command: Command): Promise<void> {
    keep('latency', await this.meter.latency(label, this.options.rate, command));
  }
}

type Kind = 'throughput' | 'latency';

const resultsFile = (kind: Kind): string => join(workFolder, `${kind}.jsonl`);

function keep(kind: Kind, result: Result): void {
  say(JSON.stringify(result));
  mkdirSync(workFolder, { recursive: true });
  appendFileSync(resultsFile(kind), `${JSON.stringify(result)}\n`);
}

function readResults(kind: Kind): Result[] {
  const lines = existsSync(resultsFile(kind)) ? readFileSync(resultsFile(kind), 'utf8').trim().split('\n') : [];
  return lines.map((line) => JSON.parse(line) as Result);
}

function printTables(): void {
  say(describeResults(readResults('throughput'), readResults('latency')));
}

/** Millrace is measured as users get it: compiled. */
function buildAll(): void {
  buildJava();
  const { status } = spawnSync(process.execPath, ['.config/build.mjs'], { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error('the build of Millrace failed; the lines above say why');
}

function count(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new TypeError(`--${name} is '${text}': give a whole number from 0`);
}

async function main(args: readonly string[]): Promise<void> {
  const text = { type: 'string' } as const;
  const end = args.indexOf('--');
  const [own, command] = end < 0 ? [args, []] : [args.slice(0, end), args.slice(end + 1)];
  const { values, positionals } = parseArgs({
    args: [...own],
    options: { reps: text, events: text, rate: text, 'quiet-s': text, 'no-build': { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const bench = new Bench({
    reps: count('reps', values.reps ?? '3'),
    events: count('events', values.events ?? '1000000'),
    rate: count('rate', values.rate ?? '2000'),
    quietS: count('quiet-s', values['quiet-s'] ?? '60'),
  });
  const [action = 'all', ...rest] = positionals;
  const pattern = new RegExp(rest[0] ?? '.');
  const measure = async (work: () => Promise<void>): Promise<void> => {
    if (!values['no-build']) buildAll();
    await bench.withServers(work);
    printTables();
  };
  switch (action) {
    case 'all':
      return measure(async () => {
        await bench.throughput(pattern);
        await bench.latency(pattern);
      });
    case 'throughput':
      return measure(() => bench.throughput(pattern));
    case 'latency':
      return measure(() => bench.latency(pattern));
    case 'one':
      return measure(() => bench.one(rest[0] ?? '', rest[1] ?? '', commandOf(command)));
    case 'latency-one':
      return measure(() => bench.latencyOne(rest[0] ?? '', commandOf(command)));
    case 'table':
      printTables();
      return;
    case 'up':
      if (!values['no-build']) buildAll();
      return bench.up();
    case 'down':
      return bench.down();
    case 'help':
      say(usage);
      return;
    default:
      throw new TypeError(`there is no action '${action}'\n\n${usage}`);
  }
}

function commandOf([program, ...args]: readonly string[]): Command {
  if (program === undefined) throw new TypeError(`there is no command behind --\n\n${usage}`);
  return [program, ...args];
}

await main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
