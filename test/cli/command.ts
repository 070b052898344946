import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { type CliIo, runCli } from '../../local/cli.ts';
import { makeProject } from '../unit/infra/project.ts';

/** How a command ended, and what it wrote. */
export interface Ended {
  /** Undefined if a signal ended it. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

const root = process.cwd();

/** Runs a command of the CLI in this process, in `cwd`. */
export async function millrace(
  cwd: string,
  args: readonly string[],
  env: CliIo['env'] = {},
  more: Partial<Pick<CliIo, 'onInterrupt'>> = {},
): Promise<Ended> {
  const [stdout, stderr] = [collect(), collect()];
  const alias = { millrace: join(root, 'functions/index.ts'), 'millrace/runtime': join(root, 'functions/runtime/index.ts') };
  const io = {
    stdout: stdout.stream,
    stderr: stderr.stream,
    env,
    cwd,
    isTerminal: false,
    bundling: { alias },
    onInterrupt: () => undefined,
    ...more,
  };
  const code = await runCli(args, io);
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

function collect(): { readonly stream: NodeJS.WritableStream; text(): string } {
  const stream = new PassThrough();
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { stream, text: () => Buffer.concat(chunks).toString() };
}

/** A command in a process of its own. */
export interface Spawned {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when what it has written so far matches; rejects if it ends before. */
  shows(pattern: RegExp): Promise<void>;
}

/** The command as users have it, but for its loader: a process with signals, pipes and an exit code; on demand in a process group of its own. */
export function spawnMillrace(cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = {}, hasOwnGroup = false): Spawned {
  const loader = join(root, 'node_modules/tsx/dist/esm/index.mjs');
  const child = spawn(process.execPath, ['--import', loader, join(root, 'local/bin.ts'), ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: hasOwnGroup,
  });
  const written = { stdout: '', stderr: '' };
  const listeners = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      written[name] += text;
      for (const listener of listeners) listener();
    });
  }
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code) => resolve({ code: code ?? undefined, ...written }));
  });
  const shows = (pattern: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (pattern.test(written.stdout + written.stderr)) resolve();
      };
      listeners.add(look);
      look();
      void ended.then(({ stdout, stderr }) => reject(new Error(`ended without ${String(pattern)}:\n${stdout}${stderr}`)));
    });
  return { child, ended, shows };
}

/** Folders with files, each removed by `dispose`. */
export class Projects {
  private readonly made: { dispose(): void }[] = [];

  create(files: Readonly<Record<string, string>>): string {
    const project = makeProject(files);
    this.made.push(project);
    return project.dir;
  }

  dispose(): void {
    for (const project of this.made.splice(0)) project.dispose();
  }
}

/** Text of a pipeline file. */
export function pipelineFile(name: string, body: string, options = '{}'): string {
  return `import { file, json, kafka, outputTag, pipeline, Types, valueState } from 'millrace';
export default pipeline('${name}', ${options}, (env) => {
  ${body}
});
`;
}
