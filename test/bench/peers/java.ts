import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { servicesPlace } from '../../services/place.ts';
import { checkJava, checkMaven, javaCommand } from '../../services/toolchain.ts';

/** Programs by the pom that they are built with: each peer gets the versions that it declares. */
const modules = ['kafka', 'flink'] as const;

export type JavaModule = (typeof modules)[number];

/** Everything that a benchmark of peers writes: servers' data, builds, logs and results. */
export const workFolder = join(servicesPlace().folder, 'peers');

const sources = resolve('test', 'bench', 'peers', 'java');

/** Flink reaches into these packages. */
const OPENED = ['java.util', 'java.lang', 'java.time'].map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`);

/** Compiles the Java programs, and has Maven fetch what they need. */
export function buildJava(): void {
  checkJava();
  checkMaven();
  mkdirSync(workFolder, { recursive: true });
  for (const module of modules) {
    const goals = ['compile', 'dependency:build-classpath', `-Dmdep.outputFile=${classPathFile(module)}`];
    const { status } = spawnSync('mvn', ['-q', '-B', '-f', join(sources, `${module}.pom.xml`), `-Dout=${buildFolder(module)}`, ...goals], {
      stdio: ['ignore', 2, 2],
    });
    if (status !== 0) throw new Error(`Maven could not build ${module}; the lines above say why`);
  }
}

/** Program and arguments of a Java program. `options`: of the virtual machine. */
export function javaProgram(module: JavaModule, args: readonly string[], options: readonly string[] = []): [string, ...string[]] {
  const file = classPathFile(module);
  if (!existsSync(file)) throw new Error(`${module} has not been built`);
  const classPath = `${join(buildFolder(module), 'classes')}:${readFileSync(file, 'utf8').trim()}`;
  const log = `-Dlog4j.configuration=file:${join(sources, 'log4j.properties')}`;
  return [javaCommand(), ...options, ...(module === 'flink' ? OPENED : []), log, '-cp', classPath, ...args];
}

/** Runs a Java program to its end; what it prints. */
export function runJava(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const [program, ...rest] = javaProgram('kafka', args, ['-Xmx2g']);
  const child = spawn(program, rest, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  return new Promise((settle, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) settle(Buffer.concat(output).toString());
      else reject(new Error(`${args.slice(0, 3).join(' ')} ended with code ${String(code)}`));
    });
  });
}

const buildFolder = (module: JavaModule): string => join(workFolder, 'build', module);
const classPathFile = (module: JavaModule): string => join(workFolder, `${module}.classpath`);
