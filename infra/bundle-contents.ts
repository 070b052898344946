import { existsSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';

/** One module of a bundle. */
export interface BundleInput {
  /** The same on every machine: below `millrace/`, `node_modules/` or the pipeline's project. */
  readonly path: string;
  /** `millrace` for Millrace's own files, `pipeline` for the user's, else the name of an npm package. */
  readonly owner: string;
  /** What is left of it in the minified bundle. */
  readonly bytes: number;
}

/** Folders of the package `millrace` that are its machinery; shipped pipelines are pipelines like any user's. */
const OWN_FOLDER = /^(dist\/(esm|cjs)\/)?(functions|local|infra)\//;
const SHIPPED_PIPELINES = /^(dist\/(esm|cjs)\/)?functions\/pipelines\//;

/** Names modules after the package that they belong to; reads the nearest `package.json` files, each once. */
export class ModuleNames {
  private readonly projectDir: string;
  private readonly packages = new Map<string, NamedPackage | undefined>();

  /** @param projectDir - The user's files are named relative to this directory. */
  constructor(projectDir: string) {
    this.projectDir = projectDir;
  }

  /** @param file - Absolute path, or the name of a generated module as it is. */
  describe(file: string): Pick<BundleInput, 'path' | 'owner'> {
    if (!isAbsolute(file)) return { path: file, owner: 'millrace' };
    const own = this.pathInMillrace(file);
    if (own !== undefined) return { path: `millrace/${own}`, owner: 'millrace' };
    const inPackages = file.lastIndexOf(`${sep}node_modules${sep}`);
    if (inPackages < 0) return { path: toSlashes(relative(this.projectDir, file)), owner: 'pipeline' };
    const path = toSlashes(file.slice(inPackages + 1));
    return { path, owner: packageName(path.slice('node_modules/'.length)) };
  }

  /** True for a file of Millrace's machinery, in its checkout or installed. */
  isMillrace(file: string): boolean {
    return this.pathInMillrace(file) !== undefined;
  }

  private pathInMillrace(file: string): string | undefined {
    const found = this.packageOf(dirname(file));
    if (found?.name !== 'millrace') return undefined;
    const path = toSlashes(relative(found.dir, file));
    return OWN_FOLDER.test(path) && !SHIPPED_PIPELINES.test(path) ? path : undefined;
  }

  private packageOf(dir: string): NamedPackage | undefined {
    if (!this.packages.has(dir)) {
      const above = dirname(dir);
      this.packages.set(dir, namedPackageIn(dir) ?? (above === dir ? undefined : this.packageOf(above)));
    }
    return this.packages.get(dir);
  }
}

/** The nearest directory at or above `dir` that has a `package.json`; `dir` itself where there is none. */
export function projectDirOf(dir: string): string {
  for (let at = dir; ; at = dirname(at)) {
    if (existsSync(join(at, 'package.json'))) return at;
    if (dirname(at) === at) return dir;
  }
}

/** `zod/v4` → `zod`, `@aws-sdk/client-lambda/dist` → `@aws-sdk/client-lambda`. */
export function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

interface NamedPackage {
  readonly dir: string;
  readonly name: string;
}

/** A `package.json` without a name only sets the module format of a folder. */
function namedPackageIn(dir: string): NamedPackage | undefined {
  const file = join(dir, 'package.json');
  if (!existsSync(file)) return undefined;
  const content = parseJson(readFileSync(file, 'utf8')) as { name?: unknown } | null | undefined;
  return typeof content?.name === 'string' ? { dir, name: content.name } : undefined;
}

/** Undefined for what is no JSON: esbuild is the one to complain of it. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function toSlashes(path: string): string {
  return path.split(sep).join('/');
}
