import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Figure } from './figure.ts';
import { floors } from './floor.ts';

/**
 * ns a record of a stage handler beside the same work by hand. Each query in a process of its own and bundled, as a stage is. Not measured:
 * the log and the store behind the ports (a null log, a store in memory), cold starts, more than one task at a time.
 */
export async function handlerFigures(): Promise<Figure[]> {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  try {
    const outfile = join(dir, 'handler-query.mjs');
    await build({ entryPoints: ['test/bench/handler-query.ts'], bundle: true, platform: 'node', format: 'esm', target: 'node20', outfile });
    return Object.keys(floors).flatMap((query) => measureQuery(outfile, query));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function measureQuery(script: string, query: string): Figure[] {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, query], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`measuring ${query} ended with ${String(status)}: ${stderr}`);
  return JSON.parse(stdout) as Figure[];
}
