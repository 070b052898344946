import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundlePipeline } from '../bundle/shipped-stages.ts';
import { type Figure, median } from './figure.ts';

const RUNS = 15;
const GOAL_MS = 25;

/**
 * What loading an embedded stage adds to the start of a Node process, against an empty script; runs of the two alternate, so that a
 * slow moment of the machine hits both. Not measured: the first event (it builds the graph and connects), and Lambda's own start.
 */
export async function coldStartFigures(pipelineFile = 'functions/pipelines/flight-delays.ts'): Promise<Figure[]> {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-cold-start-'));
  try {
    const { stages } = await bundlePipeline(pipelineFile, dir);
    const [largest] = [...stages].sort((a, b) => b.bytes - a.bytes);
    const empty = join(dir, 'empty.js');
    writeFileSync(empty, '');
    const scripts = [empty, largest?.file ?? ''] as const;
    scripts.forEach(timeOf); // warms the disk cache
    const times = Array.from({ length: RUNS }, () => scripts.map(timeOf));
    const [floor = NaN, loaded = NaN] = scripts.map((_, i) => median(times.map((run) => run[i] ?? NaN)));
    const value = Math.round((loaded - floor) * 10) / 10;
    // The goal bounds what is added, so there is no floor to hold it against.
    return [{ name: 'cold-start-added', value, unit: 'ms', floor: null, ratio: null, goal: GOAL_MS, ok: value <= GOAL_MS }];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Ms from the start of a Node process that runs `script` to its end. */
function timeOf(script: string): number {
  const started = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  const ms = performance.now() - started;
  if (status !== 0) throw new Error(`${script} ended with ${String(status)}: ${stderr}`);
  return ms;
}
