import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import type { WorldConfig, WorldSwitches } from './config.ts';
import type { RuntimeModule } from './runtime-module.ts';

/** One change of one file of the runtime. */
export interface Edit {
  /** Path below functions/. */
  readonly file: string;
  /** Must occur there exactly once, whatever the white space. */
  readonly find: string;
  readonly replace: string;
}

/** The runtime, or the harness around it, without one rule. */
export interface Mutant {
  readonly name: string;
  /** The rule that is missing, with its place in protocol.md. */
  readonly rule: string;
  readonly edits: readonly Edit[];
  /** Rules that live in the harness: its mapping, its clocks, its readers of dead letters. */
  readonly switches?: WorldSwitches;
  /** What a world needs so that the rule matters. */
  readonly world?: Partial<WorldConfig>;
  /** A seed that finds it, tried first. */
  readonly seed: number;
}

const ROOT = process.cwd();

/** Bundles the runtime with these changes, and loads it. */
export async function buildRuntime(edits: readonly Edit[]): Promise<RuntimeModule> {
  const { outputFiles } = await build({
    stdin: { contents: "export { createStageRuntime } from './functions/runtime/stage-handler.ts';", resolveDir: ROOT, loader: 'ts' },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    logLevel: 'silent',
    plugins: [mutation(edits)],
  });
  return evaluate(outputFiles[0]?.text ?? '');
}

function mutation(edits: readonly Edit[]): Plugin {
  return {
    name: 'mutation',
    setup({ onLoad }) {
      for (const file of new Set(edits.map((edit) => edit.file))) {
        const filter = new RegExp(`/functions/${file.replaceAll('.', '\\.')}$`);
        onLoad({ filter }, async ({ path }) => {
          const own = edits.filter((edit) => edit.file === file);
          return { contents: own.reduce(applyEdit, await readFile(path, 'utf8')), loader: 'ts' };
        });
      }
    },
  };
}

/** Text of a file with every edit of it; throws if the file has moved on from what the mutants know. */
export async function readMutated(edits: readonly Edit[]): Promise<void> {
  for (const file of new Set(edits.map((edit) => edit.file))) {
    const text = await readFile(join(ROOT, 'functions', file), 'utf8');
    edits.filter((edit) => edit.file === file).reduce(applyEdit, text);
  }
}

/** White space counts for nothing, so that formatting a file again harms no mutant. */
function applyEdit(text: string, { file, find, replace }: Edit): string {
  const words = find.trim().split(/\s+/);
  const pattern = new RegExp(words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('\\s+'), 'g');
  const found = text.match(pattern)?.length ?? 0;
  if (found === 1) return text.replace(pattern, () => replace);
  throw new Error(
    `functions/${file} has ${found} places that read:\n${find}\nA mutant changes exactly one: bring test/protocol/mutants up to date`,
  );
}

function evaluate(code: string): RuntimeModule {
  const module = { exports: {} as RuntimeModule };
  const requireBuiltIn = createRequire(join(ROOT, 'package.json'));
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- our own bundle
  const run = new Function('module', 'exports', 'require', code) as (...of: unknown[]) => void;
  run(module, module.exports, requireBuiltIn);
  return module.exports;
}
