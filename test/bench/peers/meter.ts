import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Server } from '../../services/server.ts';
import { runJava, workFolder } from './java.ts';
import type { Command } from './systems.ts';

/** One run, as `Tool.java` prints it; further fields are its figures. */
export interface Result extends Readonly<Record<string, unknown>> {
  readonly label: string;
  readonly query: string;
  /** Whether the output is what it must be, record by record. */
  readonly correct: boolean;
  /** Share of the machine that was used by anything but the system, the servers and the meter. */
  readonly othersCpuShare: number;
  readonly rate?: number;
}

const WARM_S = 15;
const MEASURED_S = 30;
/** Of one core, over `QUIET_WINDOW_MS`: below, the machine counts as idle. */
const IDLE_SHARE = 0.15;
const QUIET_WINDOW_MS = 2000;
/** Of the kernel's clock, in which /proc counts. */
const TICKS_PER_S = 100;

/** Runs systems against the broker's topics, one at a time. */
export class Meter {
  private readonly broker: Server;
  private readonly zookeeper: Server;
  private readonly quietMs: number;

  /** @param quietMs - Longest wait for a machine that does nothing else, before each run. */
  constructor(broker: Server, zookeeper: Server, quietMs: number) {
    this.broker = broker;
    this.zookeeper = zookeeper;
    this.quietMs = quietMs;
  }

  /** Fills the topic of the runs, and computes what every query must put out. Does nothing if that was done. */
  async prepare(events: number): Promise<void> {
    await this.tool(['gen', topicOf(events), String(events)]);
    const file = expectedFile(events);
    if (!existsSync(file)) writeFileSync(file, await this.tool(['expect', String(events)]));
  }

  /** From the start of the system to the last output. */
  throughput(label: string, query: string, events: number, command: Command): Promise<Result> {
    return this.measure(['measure', label, query, String(events), topicOf(events), expectedFile(events), '--', ...command]);
  }

  /** From just before an event is sent until a read_committed reader has what came of it. */
  latency(label: string, eventsPerS: number, command: Command): Promise<Result> {
    return this.measure(['latency', label, 'q12', String(eventsPerS), String(WARM_S), String(MEASURED_S), '--', ...command]);
  }

  private async measure(args: readonly string[]): Promise<Result> {
    await this.untilQuiet();
    return JSON.parse(await this.tool(args)) as Result;
  }

  private tool(args: readonly string[]): Promise<string> {
    const pids = [this.broker, this.zookeeper].map(({ record }) => record?.process.pid);
    return runJava(['peers.Tool', ...args], {
      PEERS_BROKER: this.broker.address,
      PEERS_ZOOKEEPER: this.zookeeper.address,
      PEERS_SERVICES: pids.join(','),
      PEERS_WORK: workFolder,
    });
  }

  private async untilQuiet(): Promise<void> {
    for (const end = performance.now() + this.quietMs; performance.now() < end;) {
      const before = busyTicks();
      await delay(QUIET_WINDOW_MS);
      if (busyTicks() - before < (IDLE_SHARE * TICKS_PER_S * QUIET_WINDOW_MS) / 1000) return;
    }
  }
}

const topicOf = (events: number): string => `bids-${events}`;
const expectedFile = (events: number): string => join(workFolder, `expected-${events}`);

/** user, nice, system, irq, softirq and steal of all cores (proc(5)). */
function busyTicks(): number {
  const fields = (readFileSync('/proc/stat', 'utf8').split('\n', 1)[0] ?? '').split(/ +/).map(Number);
  return [1, 2, 3, 6, 7, 8].reduce((sum, field) => sum + (fields[field] ?? 0), 0);
}
