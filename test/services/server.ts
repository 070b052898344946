import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isPortFree } from './ports.ts';
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts';
import { ServicesError } from './services-error.ts';
import { startTimeoutMs, stopTimeoutMs } from './settings.ts';

/** What to run, and when it is up. */
export interface ServerDefinition {
  /** For people: `Kafka 3.9.2`. */
  readonly title: string;
  /** Holds its configuration, data, log and process record. */
  readonly folder: string;
  /** Ports that it will listen on. */
  readonly ports: readonly number[];
  /** What clients connect to: `127.0.0.1:24000`. */
  readonly address: string;
  /** Told by the definition, kept in the record: another `up` compares what runs with what it wants. */
  readonly features: readonly string[];
  /** Writes the configuration and whatever a first start needs; called before each start. The program and its arguments. */
  prepare(): Promise<readonly [string, ...string[]]>;
  /** What is left to do once it has ended by SIGTERM. */
  afterStop(): void;
  /** Whether it answers, given what it has logged since its start. */
  isReady(log: string): Promise<boolean>;
}

/** What is known of a server that was started, in `process.json`: any process of this machine can stop it. */
export interface ServerRecord {
  readonly title: string;
  readonly address: string;
  readonly features: readonly string[];
  readonly process: ProcessIdentity;
}

const pollMs = 25;

/** A server process on this machine. All methods see what others did to it meanwhile: the state is in its folder, not here. */
export class Server {
  readonly definition: ServerDefinition;

  constructor(definition: ServerDefinition) {
    this.definition = definition;
  }

  get title(): string {
    return this.definition.title;
  }

  get address(): string {
    return this.definition.address;
  }

  get isRunning(): boolean {
    return this.record !== undefined;
  }

  /** Undefined if it does not run. */
  get record(): ServerRecord | undefined {
    return liveRecord(this.definition.folder);
  }

  /** Whether it was started, and has ended otherwise than by us. */
  get isLost(): boolean {
    return !this.isRunning && readRecord(this.definition.folder) !== undefined;
  }

  /**
   * Starts it and waits until it answers. False if it ran already.
   *
   * @throws ServicesError PORT_IN_USE, SERVER_DIED with the end of its log, SERVER_NOT_READY
   */
  async start(): Promise<boolean> {
    const isNew = await this.launch();
    await this.untilReady();
    return isNew;
  }

  /** Starts it without waiting: members of an ensemble answer only when most are there. False if it ran already. */
  async launch(): Promise<boolean> {
    if (this.isRunning) return false;
    for (const port of this.definition.ports) await this.#claim(port);
    mkdirSync(this.definition.folder, { recursive: true });
    const [program, ...args] = await this.definition.prepare();
    const log = openSync(this.#logPath, 'w');
    // A group of its own: Ctrl-C in a terminal is for the command, not for its servers.
    const child = spawn(program, args, { cwd: this.definition.folder, detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    child.unref();
    this.#writeRecord(child.pid ?? 0);
    return true;
  }

  async untilReady(): Promise<void> {
    const deadline = performance.now() + startTimeoutMs;
    while (!(await this.definition.isReady(this.#log()))) {
      if (!this.isRunning)
        throw new ServicesError('SERVER_DIED', `${this.title} ended at its start; the end of its log:\n${this.logTail()}`);
      if (performance.now() > deadline)
        throw new ServicesError(
          'SERVER_NOT_READY',
          `${this.title} does not answer after ${startTimeoutMs / 1000} s; the end of its log:\n${this.logTail()}`,
        );
      await delay(pollMs);
    }
  }

  /** SIGTERM, and SIGKILL if that is not enough. Does nothing if it does not run. */
  async stop(): Promise<void> {
    await stopServer(this.definition.folder);
    this.definition.afterStop();
  }

  /** SIGKILL: nothing is flushed or said good-bye to. Resolves when it is gone. */
  async kill(): Promise<void> {
    await endServer(this.definition.folder, 'SIGKILL');
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** SIGSTOP: connections stay, answers do not come. */
  pause(): void {
    this.#signal('SIGSTOP');
  }

  /** SIGCONT after `pause`. */
  resume(): void {
    this.#signal('SIGCONT');
  }

  /** Stops it, and removes its data and log. */
  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.definition.folder, { recursive: true, force: true });
  }

  logTail(lines = 20): string {
    return this.#log().trimEnd().split('\n').slice(-lines).join('\n');
  }

  get #logPath(): string {
    return join(this.definition.folder, 'log');
  }

  #log(): string {
    return existsSync(this.#logPath) ? readFileSync(this.#logPath, 'utf8') : '';
  }

  async #claim(port: number): Promise<void> {
    if (await isPortFree(port)) return;
    throw new ServicesError(
      'PORT_IN_USE',
      `port ${port} of 127.0.0.1, which ${this.title} needs, is in use by a program that we did not start: end it, or choose other ports with --port-base or MILLRACE_SERVICES_PORT_BASE`,
    );
  }

  #writeRecord(pid: number): void {
    const identity = identify(pid);
    // It ended at once: there is no one to stop, and `untilReady` tells of it.
    if (identity === undefined) return;
    const { title, address, features, folder } = this.definition;
    const record: ServerRecord = { title, address, features, process: identity };
    writeFileSync(`${recordPath(folder)}.new`, JSON.stringify(record));
    renameSync(`${recordPath(folder)}.new`, recordPath(folder));
  }

  #signal(signal: NodeJS.Signals): void {
    const { record } = this;
    if (record === undefined) throw new ServicesError('NOT_RUNNING', `${this.title} does not run, so it can't be sent ${signal}`);
    process.kill(record.process.pid, signal);
  }
}

/** A process may end between two looks at it. */
function sendTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Stops whatever server has this folder: SIGTERM, and SIGKILL if that is not enough. */
export async function stopServer(folder: string): Promise<void> {
  if (!(await endServer(folder, 'SIGTERM'))) await endServer(folder, 'SIGKILL');
}

/** Whether it is gone in time after `signal`. */
async function endServer(folder: string, signal: NodeJS.Signals): Promise<boolean> {
  const record = liveRecord(folder);
  if (record !== undefined) {
    // One that is paused would keep SIGTERM for later.
    for (const each of [signal, 'SIGCONT'] as const) sendTo(record.process.pid, each);
    const deadline = performance.now() + stopTimeoutMs;
    while (isAlive(record.process)) {
      if (performance.now() > deadline) return false;
      await delay(pollMs);
    }
  }
  rmSync(recordPath(folder), { force: true });
  return true;
}

const recordPath = (folder: string): string => join(folder, 'process.json');

/** The record of a server that runs; undefined if none does, though the number of its process may be another's by now. */
export function liveRecord(folder: string): ServerRecord | undefined {
  const record = readRecord(folder);
  return record !== undefined && isAlive(record.process) ? record : undefined;
}

/** What was written when it was started; undefined if it was never started, or was stopped. */
function readRecord(folder: string): ServerRecord | undefined {
  try {
    return JSON.parse(readFileSync(recordPath(folder), 'utf8')) as ServerRecord;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
