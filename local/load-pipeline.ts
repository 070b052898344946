import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { isPipeline, type Pipeline } from '../functions/api/pipeline.ts';
import { isMillraceError, MillraceError } from '../functions/shared/errors.ts';
import { bundleModule, type BundlingOptions } from '../infra/bundling.ts';

/**
 * The pipeline that a TypeScript or JavaScript file exports as its default. The file is bundled as a stage is, with all that it imports,
 * and run in this process: what loads here loads in a function, and each call sees the file as it is now.
 *
 * @throws MILLRACE_INPUT_UNREADABLE there is no such file.
 * @throws MILLRACE_BUNDLE_FAILED it does not parse, or imports what is not there.
 * @throws MILLRACE_BUILD_FAILED it throws while it is imported; an error of Millrace comes through as it is.
 * @throws MILLRACE_NO_PIPELINE its default export is no pipeline.
 */
export async function loadPipeline(file: string, options: BundlingOptions = {}): Promise<Pipeline> {
  const exported = await runModule(basename(file), await bundleModule(file, options).catch((error: unknown) => refuseData(file, error)));
  const found = exportsOf(exported).default;
  if (isPipeline(found)) return found;
  throw new MillraceError('MILLRACE_NO_PIPELINE', `${basename(file)} exports no pipeline: ${describeExports(exported)}; ${NEXT_STEP}`);
}

const NEXT_STEP = "write: export default pipeline('my-pipeline', (env) => { … })";

/** Who gives a file of records has most often mixed it up with the pipeline that reads it. */
function refuseData(file: string, error: unknown): never {
  const name = basename(file);
  if (SOURCES.test(name) || !isMillraceError(error, 'MILLRACE_BUNDLE_FAILED')) throw error;
  throw new MillraceError(
    'MILLRACE_NO_PIPELINE',
    `${name} is no TypeScript or JavaScript: give the file of the pipeline. One that reads data begins with env.fromSource(file.source(…)); ${NEXT_STEP}`,
    { cause: error },
  );
}

const SOURCES = /\.[cm]?[jt]sx?$/;

/** `require`, not `import()`: the code is CommonJS, and a module cache that can be emptied lets the same file be loaded again. */
async function runModule(name: string, code: string): Promise<unknown> {
  const file = join(tmpdir(), `millrace-${randomUUID()}.cjs`);
  await writeFile(file, code);
  const require = createRequire(file);
  try {
    return require(file);
  } catch (error) {
    if (isMillraceError(error)) throw error;
    const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new MillraceError('MILLRACE_BUILD_FAILED', `${name} throws when it is imported: ${why}`, { cause: error });
  } finally {
    Reflect.deleteProperty(require.cache, require.resolve(file));
    await rm(file, { force: true });
  }
}

/** A CommonJS file's `module.exports` is its default export, as in a stage's bundle. */
function exportsOf(exported: unknown): Readonly<Record<string, unknown>> {
  const isModule = typeof exported === 'object' && exported !== null && '__esModule' in exported;
  return isModule ? exported : { default: exported };
}

function describeExports(exported: unknown): string {
  const exports = exportsOf(exported);
  if ('default' in exports) return `its default export is ${describeValue(exports['default'])}`;
  const names = Object.keys(exports);
  return names.length === 0 ? 'it exports nothing' : `it has no default export, only ${names.join(', ')}`;
}

function describeValue(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
