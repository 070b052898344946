/**
 * The whole harness on the main job: first record fed to last output committed, start-up apart, determinism check off. Not measured:
 * real Kafka and ZooKeeper, a network.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Figure } from './figure.ts';

interface Summary {
  readonly ok: boolean;
  readonly records: number;
  readonly recordsPerSecond: number;
}

const GOAL_RECORDS_PER_SECOND = 100_000;
/** Most memory that a run on ten times the input may take, relative to the shorter one's. */
const GOAL_MEMORY_RATIO = 1.25;

export async function harnessFigures(): Promise<Figure[]> {
  const short = await runJob(10);
  const long = await runJob(100);
  const { recordsPerSecond } = short.summary;
  const memory = long.peakMb / short.peakMb;
  return [
    {
      name: 'harness flight-delays --repeat 10',
      value: recordsPerSecond,
      unit: 'records/s',
      floor: null,
      ratio: null,
      goal: GOAL_RECORDS_PER_SECOND,
      ok: short.summary.ok && recordsPerSecond >= GOAL_RECORDS_PER_SECOND,
    },
    {
      name: 'harness peak memory, --repeat 100 over --repeat 10',
      value: Math.round(long.peakMb),
      unit: 'MB',
      floor: Math.round(short.peakMb),
      ratio: memory,
      goal: GOAL_MEMORY_RATIO,
      ok: long.summary.ok && memory <= GOAL_MEMORY_RATIO,
    },
  ];
}

/** Runs the job in a process of its own and samples its memory (Linux). */
async function runJob(repeat: number): Promise<{ summary: Summary; peakMb: number }> {
  const args = ['--import', 'tsx', 'local/bin.ts', 'dev', 'functions/pipelines/flight-delays.ts'];
  const child = spawn(process.execPath, [...args, '--json', '--determinism-every', '0', '--repeat', String(repeat)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  let peakKb = 0;
  const timer = setInterval(() => {
    peakKb = Math.max(peakKb, peakMemoryKb(child.pid));
  }, 100);
  const code = await new Promise((resolve) => child.on('close', resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`the job with --repeat ${repeat} ended with code ${String(code)}`);
  return { summary: JSON.parse(Buffer.concat(chunks).toString()) as Summary, peakMb: peakKb / 1024 };
}

function peakMemoryKb(pid: number | undefined): number {
  try {
    const match = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid ?? ''}/status`, 'utf8'));
    return Number(match?.[1] ?? 0);
  } catch {
    return 0; // it has just ended
  }
}
