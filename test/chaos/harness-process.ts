import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface HarnessOptions {
  readonly seed: number;
  /** Folder of the fault log. */
  readonly faults: string;
  /** Folder for what it writes, a file a start. */
  readonly folder: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly say: (line: string) => void;
}

/** Longest that an interrupted harness may take for what is in flight, and for closing. */
const END_MS = 60_000;
/** Ends by itself that a run takes before it gives up. */
const MOST_ENDS = 10;

/** The harness in a process of its own, started again whenever it ends without being told to. */
export class HarnessProcess {
  /** How often it has ended by itself. */
  ends = 0;
  private readonly options: HarnessOptions;
  private starts = 0;
  private child: ChildProcess | undefined;
  private exited: Promise<number | null> = Promise.resolve(null);
  private isTold = false;
  private isClosed = false;
  private breakDown: (error: Error) => void = () => undefined;
  /** Rejects when it ends by itself over and over. */
  readonly broken = new Promise<never>((_, reject) => (this.breakDown = reject));

  constructor(options: HarnessOptions) {
    this.options = options;
    this.broken.catch(() => undefined); // whoever waits for something else too gets it
  }

  start(): void {
    if (this.isClosed) return;
    const { seed, faults, folder, args, env } = this.options;
    this.isTold = false;
    const path = join(folder, `harness-${++this.starts}.log`);
    const log = openSync(path, 'w');
    const child = spawn(process.execPath, ['--import', 'tsx', 'test/chaos/host.ts', String(seed), faults, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    this.child = child;
    this.exited = new Promise((resolve) => child.once('exit', resolve));
    void this.exited.then((code) => {
      if (!this.isTold) this.endedByItself(code, path);
    });
  }

  /** kill -9, for good: who is still at work on it starts it no more. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.kill();
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** As Ctrl-C: what is in flight ends first. What is wrong with how it ended, if anything is. */
  async stop(): Promise<string | undefined> {
    const timer = new AbortController();
    const tooLong = delay(END_MS, 'late' as const, { signal: timer.signal }).catch(() => undefined);
    const code = await Promise.race([this.end('SIGINT'), tooLong]);
    timer.abort();
    if (code === 'late') {
      await this.kill();
      return `the harness still ran ${END_MS / 1000} s after an interrupt`;
    }
    return code === 0 ? undefined : `the harness ended with code ${String(code)} after an interrupt`;
  }

  /** Whether its environments are left alone for now: what needs time to go wrong would not get it from those that die young. */
  calm(isCalm: boolean): void {
    if (this.child?.connected === true) this.child.send(isCalm ? 'calm' : 'wild');
  }

  private end(signal: NodeJS.Signals): Promise<number | null> {
    this.isTold = true;
    this.child?.kill(signal);
    return this.exited;
  }

  private endedByItself(code: number | null, log: string): void {
    this.ends++;
    const [, why = `code ${String(code)}`] = /^error (.*)$/m.exec(readFileSync(log, 'utf8')) ?? [];
    this.options.say(`the harness ended by itself: ${why}`);
    if (this.ends < MOST_ENDS) this.start();
    else this.breakDown(new Error(`the harness has ended by itself ${this.ends} times, the last time with code ${String(code)}`));
  }
}
