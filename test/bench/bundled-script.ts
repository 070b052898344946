import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Figure } from './figure.ts';

/** The figures that a script of this folder prints, bundled as a stage is, in a process of its own for each of these arguments. */
export async function runBundled(script: string, args: readonly string[]): Promise<Figure[]> {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  try {
    const outfile = join(dir, `${script}.mjs`);
    await build({ entryPoints: [`test/bench/${script}.ts`], bundle: true, platform: 'node', format: 'esm', target: 'node20', outfile });
    return args.flatMap((arg) => figuresOf(outfile, arg));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function figuresOf(script: string, arg: string): Figure[] {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, arg], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`measuring ${arg} ended with ${String(status)}: ${stderr}`);
  return JSON.parse(stdout) as Figure[];
}
