import { createHash, randomUUID } from 'node:crypto';
import { mkdir, realpath, rename, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  build as runEsbuild,
  type BuildOptions,
  type BuildResult,
  type Message,
  type Metafile,
  type OnLoadResult,
  type Plugin,
} from 'esbuild';
import type { PipelinePlan, StagePlan } from '../functions/graph/stage-plan.ts';
import { MillraceError } from '../functions/shared/errors.ts';
import { type BundleInput, ModuleNames, packageName, projectDirOf } from './bundle-contents.ts';
import { stageEntry } from './stage-entry.ts';

export interface BundlingOptions {
  /**
   * Files to use for module names, matched whole: `{ millrace: …, 'millrace/runtime': … }` where the pipeline's project has no
   * Millrace installed, as when a checkout's CLI runs it.
   *
   * @default - every module is looked for from the file that imports it
   */
  readonly alias?: Readonly<Record<string, string>>;
  /** Called with each of esbuild's warnings, as `file:line:column: text`. @default - none are reported */
  readonly onWarning?: (warning: string) => void;
}

export interface BundleStagesOptions extends BundlingOptions {
  /** The functions log on to Amazon MSK by IAM: their bundles get AWS's signer, a file of its own of some 600 kB. @default false */
  readonly kafkaIam?: boolean;
  /** The file whose default export is the pipeline. */
  readonly pipelineFile: string;
  readonly plan: PipelinePlan;
  /** Made if missing. Older bundles in it are left alone: an environment may still run them. */
  readonly outDir: string;
}

/** One stage as Lambda runs it. */
export interface StageBundle {
  readonly stage: string;
  /** `<outDir>/<stage>-<hash>`: the function's code and nothing else. Handler: `index.handler`. */
  readonly dir: string;
  /** `index.js` in `dir`, CommonJS. */
  readonly file: string;
  /** Third parties' clients beside it, each read only by the adapter that runs it: `kafkajs.js`. */
  readonly clients: readonly string[];
  /** Of `file`, beside `dir`, so that it is not deployed. */
  readonly sourceMap: string;
  /** Of the bytes of `file` and `clients`. */
  readonly hash: string;
  /** Of `file` and `clients`. */
  readonly bytes: number;
  /** Of `file` and `clients`, the largest first. */
  readonly inputs: readonly BundleInput[];
  /** The npm packages among `inputs`, sorted. */
  readonly packages: readonly string[];
}

/** What no file of Millrace may bring into a stage; users' own files may, except for native code. */
const FORBIDDEN = ['@aws-sdk', 'aws-cdk-lib', 'constructs', 'esbuild', 'zeromq'];
const NATIVE = ['zeromq'];

/** Clients that Millrace's adapters run: parsing them would be most of a cold start, so each is a file of its own, read when it is asked for. */
const CLIENTS = ['kafkajs', 'node-zookeeper-client', 'snappyjs', 'aws-msk-iam-sasl-signer-js'];

const STAGE = 'millrace-stage';
const CLIENT = 'millrace-client';

/** CommonJS loads as fast as ESM and needs no shim for `require`; module-first fields make bundles smaller, and loading quicker. */
const SETTINGS = {
  bundle: true,
  charset: 'utf8',
  format: 'cjs',
  legalComments: 'none',
  logLevel: 'silent',
  mainFields: ['module', 'main'],
  platform: 'node',
  target: 'node20',
  treeShaking: true,
  write: false,
} as const satisfies BuildOptions;

/**
 * Bundles every stage of a plan, in one build. Equal input gives equal bytes and hashes wherever the checkout and `outDir` are.
 *
 * @throws MILLRACE_INPUT_UNREADABLE there is no such pipeline file.
 * @throws MILLRACE_BUNDLE_FAILED with the place and text of each error.
 */
export async function bundleStages(options: BundleStagesOptions): Promise<StageBundle[]> {
  const { plan, outDir } = options;
  const pipelineFile = await sourceFile(options.pipelineFile);
  const projectDir = projectDirOf(dirname(pipelineFile));
  const names = new ModuleNames(projectDir);
  const importers = new Map<string, string>();
  const common = {
    ...SETTINGS,
    absWorkingDir: projectDir,
    metafile: true,
    minify: true,
    outdir: virtualOutDir(projectDir),
  } satisfies BuildOptions;
  const entries = new Map(plan.stages.map((stage) => [stage.id, stageEntry(plan, stage, `./${basename(pipelineFile)}`)]));
  const stages = await run(pipelineFile, options, {
    ...common,
    entryPoints: plan.stages.map((stage, i) => ({ in: `${STAGE}:${stage.id}`, out: `${i}/index` })),
    plugins: [
      generated(STAGE, (stage) => ({ contents: entries.get(stage) ?? '', resolveDir: dirname(pipelineFile) })),
      leftOut(names, [...(options.kafkaIam === true ? [] : [IAM_SIGNER]), ...(plan.sinkFolders === undefined ? [PARTS] : [])]),
      clientsApart(names, importers),
      stageModules(options.alias ?? {}, names),
    ],
    sourcemap: 'external',
  });
  const clients = await run(pipelineFile, options, {
    ...common,
    entryPoints: [...importers.keys()].map((client) => ({ in: `${CLIENT}:${client}`, out: client })),
    plugins: [
      generated(CLIENT, (client) => ({
        contents: `module.exports = require('${client}');`,
        resolveDir: importers.get(client) ?? projectDir,
      })),
      stageModules({}, names),
    ],
  });
  const output = new BuiltFiles([stages, clients], projectDir);
  return Promise.all(plan.stages.map((stage, i) => writeStage(stage, i, output, projectDir, outDir)));
}

/**
 * Bundles one file with all that it imports, unminified, as CommonJS source: the same modules that a stage would get.
 *
 * @throws as {@link bundleStages}
 */
export async function bundleModule(file: string, options: BundlingOptions = {}): Promise<string> {
  const source = await sourceFile(file);
  const projectDir = projectDirOf(dirname(source));
  const { outputFiles } = await run(source, options, {
    ...SETTINGS,
    absWorkingDir: projectDir,
    entryPoints: [source],
    outfile: join(projectDir, '.millrace.cjs'),
    plugins: [stageModules(options.alias ?? {}, new ModuleNames(projectDir))],
    sourcemap: 'inline',
    // The code will run from elsewhere; stacks shall still name the user's file.
    sourceRoot: `${pathToFileURL(projectDir).href}/`,
  });
  return new TextDecoder().decode(outputFiles?.[0]?.contents);
}

/** Never written: output paths only have to be the same relative to the project on every machine. */
function virtualOutDir(projectDir: string): string {
  return join(projectDir, '.millrace');
}

async function sourceFile(file: string): Promise<string> {
  const unreadable = (why: string, cause?: unknown): MillraceError =>
    new MillraceError('MILLRACE_INPUT_UNREADABLE', `cannot read the pipeline file ${file} (${why}); give the path of a .ts or .js file`, {
      cause,
    });
  const path = await realpath(file).catch((error: unknown) => {
    throw unreadable(String((error as NodeJS.ErrnoException).code), error);
  });
  if (!(await stat(path)).isFile()) throw unreadable('it is no file');
  return path;
}

async function run(file: string, { onWarning }: BundlingOptions, settings: BuildOptions): Promise<BuildResult> {
  try {
    const result = await runEsbuild(settings);
    for (const warning of result.warnings) onWarning?.(describeMessage(warning));
    return result;
  } catch (error) {
    const messages = (error as { errors?: readonly Message[] }).errors?.map(describeMessage) ?? [String(error)];
    throw new MillraceError('MILLRACE_BUNDLE_FAILED', `cannot bundle ${basename(file)}:\n  ${messages.join('\n  ')}`);
  }
}

function describeMessage({ location, text }: Message): string {
  const place = location === null ? '' : `${location.file}:${location.line}:${location.column + 1}: `;
  const missing = /^Could not resolve "([^./][^"]*)"/.exec(text)?.[1];
  const step = missing === undefined ? '' : `; run "npm install ${packageName(missing)}" in the pipeline's project, or correct the import`;
  return place + text + step;
}

/** The modules that bundles start from: `<kind>:<name>` is what `load` gives for the name. */
function generated(kind: string, load: (name: string) => Pick<OnLoadResult, 'contents' | 'resolveDir'>): Plugin {
  return {
    name: `${kind}-entries`,
    setup(build) {
      build.onResolve({ filter: new RegExp(`^${kind}:`) }, ({ path }) => ({ path: path.slice(kind.length + 1), namespace: kind }));
      build.onLoad({ filter: /(?:)/, namespace: kind }, ({ path }) => ({ ...load(path), loader: 'js' }));
    },
  };
}

/**
 * Leaves Millrace's imports of {@link CLIENTS} to files beside the bundle; what a user imports of the same packages stays the user's.
 *
 * @param importers - Gets the directory of an importing module, for each client.
 */
function clientsApart(names: ModuleNames, importers: Map<string, string>): Plugin {
  return {
    name: 'millrace-clients',
    setup(build) {
      build.onResolve({ filter: new RegExp(`^(${CLIENTS.join('|')})$`) }, ({ path, importer, resolveDir }) => {
        if (!names.isMillrace(importer)) return undefined;
        importers.set(path, resolveDir);
        return { path: clientModule(path), external: true };
      });
    },
  };
}

function clientModule(client: string): string {
  return `./${client}.js`;
}

/** The reading of sources is for feeders: no function ever does. */
const FEEDER = 'reader';
/** What brings AWS's signer. */
const IAM_SIGNER = 'iam-token';
/** What writes files. */
const PARTS = 'part-folder';

/** Leaves Millrace's modules out that it imports where they are needed, and these functions never need: such an import would fail. */
function leftOut(names: ModuleNames, modules: readonly string[]): Plugin {
  return {
    name: 'millrace-left-out',
    setup(build) {
      build.onResolve({ filter: new RegExp(`^\\./(${[FEEDER, ...modules].join('|')})\\.[jt]s$`) }, ({ path, kind, importer }) =>
        kind === 'dynamic-import' && names.isMillrace(importer) ? { path, external: true } : undefined,
      );
    },
  };
}

/** Where Millrace's own modules come from, and which modules may not be in a stage. */
function stageModules(alias: Readonly<Record<string, string>>, names: ModuleNames): Plugin {
  return {
    name: 'millrace-modules',
    setup(build) {
      build.onResolve({ filter: /^millrace(\/|$)/ }, ({ path, kind, importer, resolveDir }) => {
        const file = alias[path];
        if (file !== undefined) return build.resolve(resolve(file), { kind, importer, resolveDir: dirname(resolve(file)) });
        // A `require` would bring in the CommonJS copy of Millrace beside the ESM one.
        return kind === 'require-call' ? build.resolve(path, { kind: 'import-statement', importer, resolveDir }) : undefined;
      });
      build.onResolve({ filter: new RegExp(`^(${FORBIDDEN.join('|')})(/|$)`) }, ({ path, importer }) => {
        if (names.isMillrace(importer)) return refuse(forbidden(path));
        return isOf(NATIVE, path) ? refuse(native(path)) : undefined;
      });
      build.onResolve({ filter: /\.node$/ }, ({ path }) => refuse(native(path)));
    },
  };
}

function refuse(text: string): { errors: { text: string }[] } {
  return { errors: [{ text }] };
}

function forbidden(path: string): string {
  return `Millrace itself brings "${path}" into a stage, which may hold none of ${FORBIDDEN.join(', ')}; this is a fault in Millrace, please report it`;
}

function native(path: string): string {
  return `"${path}" is native code, which cannot be bundled into a function; use a package in plain JavaScript, or call a service that runs it`;
}

function isOf(packages: readonly string[], path: string): boolean {
  return packages.includes(packageName(path));
}

async function writeStage(stage: StagePlan, index: number, built: BuiltFiles, projectDir: string, outDir: string): Promise<StageBundle> {
  const output = `${index}/index.js`;
  const clients = CLIENTS.filter((client) => built.importsOf(output).includes(clientModule(client))).map((client) => `${client}.js`);
  const files = [{ name: 'index.js', code: built.contents(output) }, ...clients.map((name) => ({ name, code: built.contents(name) }))];
  const hash = hashOf(files);
  const dir = join(resolve(outDir), `${stage.id.replace(/[^\w.-]/g, '_')}-${hash}`);
  const sourceMap = `${dir}.js.map`;
  await mkdir(dir, { recursive: true });
  // Says what the files are even below a package of ES modules.
  await replaceFile(join(dir, 'package.json'), '{"type":"commonjs"}\n');
  for (const { name, code } of files) await replaceFile(join(dir, name), code);
  await replaceFile(sourceMap, portableMap(built.contents(`${output}.map`), join(virtualOutDir(projectDir), `${index}`), projectDir));
  const inputs = [output, ...clients]
    .flatMap((name) => built.inputsOf(name))
    .sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1));
  const packages = inputs.map(({ owner }) => owner).filter((owner) => owner !== 'millrace' && owner !== 'pipeline');
  return {
    stage: stage.id,
    dir,
    file: join(dir, 'index.js'),
    clients: clients.map((name) => join(dir, name)),
    sourceMap,
    hash,
    bytes: files.reduce((sum, { code }) => sum + code.byteLength, 0),
    inputs,
    packages: [...new Set(packages)].sort(),
  };
}

function hashOf(files: readonly { readonly name: string; readonly code: Uint8Array }[]): string {
  const hash = createHash('sha256');
  for (const { name, code } of files) hash.update(`${name} ${code.byteLength}\n`).update(code);
  return hash.digest('hex').slice(0, 16);
}

/** What builds put out, by path below their output directory. */
class BuiltFiles {
  private readonly builds: readonly BuildResult[];
  private readonly projectDir: string;
  private readonly names: ModuleNames;

  constructor(builds: readonly BuildResult[], projectDir: string) {
    this.builds = builds;
    this.projectDir = projectDir;
    this.names = new ModuleNames(projectDir);
  }

  contents(path: string): Uint8Array {
    const file = join(virtualOutDir(this.projectDir), path);
    const found = this.builds.flatMap(({ outputFiles }) => outputFiles ?? []).find((output) => resolve(output.path) === file);
    if (found === undefined) throw new MillraceError('MILLRACE_BUNDLE_FAILED', `esbuild made no ${path}`);
    return found.contents;
  }

  /** Modules that are left to other files. */
  importsOf(path: string): string[] {
    return (this.output(path)?.imports ?? []).map((imported) => imported.path);
  }

  inputsOf(path: string): BundleInput[] {
    const inputs = Object.entries(this.output(path)?.inputs ?? {});
    return inputs.map(([key, { bytesInOutput }]) => ({ ...this.names.describe(moduleFile(key, this.projectDir)), bytes: bytesInOutput }));
  }

  private output(path: string): Metafile['outputs'][string] | undefined {
    return this.builds.map(({ metafile }) => metafile?.outputs[`.millrace/${path}`]).find((output) => output !== undefined);
  }
}

/** Readers, and other bundlings of the same bytes, see the old file or the new one, never half of it. */
async function replaceFile(file: string, contents: Uint8Array | string): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, contents);
  await rename(draft, file);
}

/** A source map whose sources have the names of {@link BundleInput}, not paths of this machine. */
function portableMap(map: Uint8Array, mapDir: string, projectDir: string): string {
  const names = new ModuleNames(projectDir);
  const parsed = JSON.parse(new TextDecoder().decode(map)) as { sources: string[] };
  const sources = parsed.sources.map((source) => names.describe(moduleFile(source, mapDir)).path);
  return JSON.stringify({ ...parsed, sources });
}

/** Generated and disabled modules are written `namespace:name` by esbuild; only files have a path. */
function moduleFile(name: string, dir: string): string {
  return name.startsWith(`${STAGE}:`) || name.startsWith(`${CLIENT}:`) ? name : resolve(dir, name.replace(/^\(disabled\):/, ''));
}
