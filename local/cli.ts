import { basename } from 'node:path';
import { describeAsMermaid } from '../functions/graph/mermaid.ts';
import { describePlan } from '../functions/graph/describe.ts';
import { isMillraceError, MillraceError } from '../functions/shared/errors.ts';
import type { BundlingOptions } from '../infra/bundling.ts';
import { type Arguments, type ArgumentShape, parseArguments } from './args.ts';
import { checkFlags } from './command-flags.ts';
import { describeConfig } from './commands/config.ts';
import { runDev } from './commands/dev.ts';
import { runDeadLetters } from './commands/dlq.ts';
import { updateLockFile } from './commands/lock.ts';
import { runState } from './commands/state.ts';
import { runWhy } from './commands/why.ts';
import { CONFIG_FLAGS, OPTION_FLAGS } from './config.ts';
import { openProject } from './project.ts';

/** Where a command reads and writes; the process's own, but for tests. */
export interface CliIo {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly isTerminal: boolean;
  /** How stages find Millrace itself, where the pipeline's own folder does not lead to it. */
  readonly bundling: BundlingOptions;
  /** Calls back for the first and the second interrupt. */
  readonly onInterrupt: (first: () => void, second: () => void) => void;
}

const SHAPE = {
  valued: new Set([...flagsOf((value) => value !== ''), ...OPTION_FLAGS, 'config', 'param']),
  switches: new Set([...flagsOf((value) => value === ''), 'json', 'mermaid', 'verbose', 'help', 'version', 'update-lock']),
};

/** Flags of one command, which for the others are parameters of the pipeline. */
const FLAGS_OF: Readonly<Record<string, readonly string[]>> = { dlq: ['stage', 'code', 'limit'] };
const SWITCHES_OF: Readonly<Record<string, readonly string[]>> = { dlq: ['all', 'dry-run', 'append-to-source', 'at-least-once'] };

function flagsOf(wanted: (value: string) => boolean): readonly string[] {
  return CONFIG_FLAGS.filter(({ value }) => wanted(value)).map(({ flag }) => flag);
}

/** Of package.json, held equal by a test: the CommonJS build has no way to find that file. */
export const VERSION = '0.1.0';

export const USAGE = `millrace: stream processing on serverless functions

  millrace dev FILE      run a pipeline on this machine: until stopped or, with bounded sources, until all is drained
  millrace plan FILE     print its stages, hops, channels and uids   [--json | --mermaid]
                         --update-lock also adds new uids and states to millrace.lock.json beside it
  millrace config FILE   print each setting and where it comes from

  millrace state ls FILE                                  what each task has committed: offsets, watermark, tables
  millrace state count FILE [STAGE [OPERATOR/STATE]]      keys, entries and bytes of states
  millrace state get FILE STAGE OPERATOR STATE KEY        what one key holds
  millrace dlq ls FILE   list dead letters, copies left out   [--stage STAGE] [--code CODE] [--limit N]
  millrace dlq show FILE OFFSET                           all of one dead letter
  millrace dlq replay FILE [OFFSETS]                      bring back dead letters: 3,7-9, --all, --stage STAGE or --code CODE
                         [--dry-run] [--append-to-source] [--at-least-once]
  millrace why FILE TOPIC PARTITION OFFSET                what a sink's record, or a dead letter, was made from

  --param NAME=VALUE     a parameter of the pipeline (or --NAME VALUE, where that is no flag below)
  --json                 one JSON line at the end on stdout, all else on stderr; of state, dlq and why a line for each thing
  --config FILE          settings as JSON (default: millrace.config.json in this folder, if it is there)
  --verbose              stack traces
${CONFIG_FLAGS.map(({ flag, value, help }) => `  ${`--${flag} ${value}`.padEnd(22)} ${help}`).join('\n')}
  pipeline options:      ${wrap(OPTION_FLAGS.map((flag) => `--${flag}`))}

Each setting is looked for in this order: flag, MILLRACE_* environment variable, config file, pipeline options, default.
Ctrl-C lets a run end what is in flight; a second one ends it at once.
`;

/** Runs one command; resolves to the exit code: 0 done, 1 failed, 2 called wrongly. */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  let verbose = argv.includes('--verbose');
  try {
    const args = parseArguments(argv, shapeOf(argv.find((word) => !word.startsWith('-'))));
    verbose = args.switches.has('verbose');
    return await runCommand(args, io);
  } catch (error) {
    io.stderr.write(describeError(error, verbose));
    // Who reads the one line of a run shall get one, whatever happens.
    if (argv[0] === 'dev' && argv.includes('--json')) io.stdout.write(`${JSON.stringify({ ok: false, error: summarizeError(error) })}\n`);
    return isMillraceError(error, 'MILLRACE_FLAG_INVALID') ? 2 : 1;
  }
}

function shapeOf(command = ''): ArgumentShape {
  return {
    valued: new Set([...SHAPE.valued, ...(FLAGS_OF[command] ?? [])]),
    switches: new Set([...SHAPE.switches, ...(SWITCHES_OF[command] ?? [])]),
  };
}

async function runCommand(args: Arguments, io: CliIo): Promise<number> {
  const [command, file, ...extra] = args.positionals;
  if (args.switches.has('help') || command === 'help' || (command === undefined && !args.switches.has('version'))) {
    io.stdout.write(USAGE);
    return command === undefined && !args.switches.has('help') ? 2 : 0;
  }
  if (args.switches.has('version')) {
    io.stdout.write(`millrace ${VERSION}\n`);
    return 0;
  }
  checkFlags(args);
  if (command === 'state') return runState(args, io);
  if (command === 'dlq') return runDeadLetters(args, io);
  if (command === 'why') return runWhy(args, io);
  if (command !== 'dev' && command !== 'plan' && command !== 'config')
    throw usage(`there is no command '${command ?? ''}'; there are dev, plan, config, state, dlq and why`);
  if (file === undefined) throw usage(`millrace ${command} needs a pipeline file: millrace ${command} FILE`);
  if (extra.length > 0) throw usage(`unexpected '${extra.join(' ')}' behind ${basename(file)}`);
  if (command === 'dev') return runDev(() => openProject(file, args, io), args, io);
  const project = await openProject(file, args, io);
  if (command === 'config') io.stdout.write(`${describeConfig(project.config.entries)}\n`);
  else if (args.switches.has('update-lock')) await updateLockFile(project, io);
  else if (args.switches.has('json')) io.stdout.write(`${JSON.stringify(project.plan, null, 2)}\n`);
  else io.stdout.write(args.switches.has('mermaid') ? describeAsMermaid(project.plan) : describePlan(project.plan));
  return 0;
}

/** An error as people read it: code, message, cause; the stack only on demand. */
export function describeError(error: unknown, verbose: boolean): string {
  if (!isMillraceError(error)) return describeForeign(error, verbose);
  const stacks = [error, error.cause].map((one) => (one instanceof Error ? `${one.stack ?? ''}\n` : '')).join('');
  return `error ${error.code}: ${error.message}\n${verbose ? stacks : describeCause(error)}`;
}

/** Nothing in this program throws other errors on purpose. */
function describeForeign(error: unknown, verbose: boolean): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  if (verbose) return `error: ${error instanceof Error ? (error.stack ?? text) : text}\n`;
  return `error: ${text}\n  This may be a fault in Millrace: run it again with --verbose, and report what that shows\n`;
}

function describeCause({ message, cause }: MillraceError): string {
  if (!(cause instanceof Error) || isMillraceError(cause)) return '';
  const isTold = message.includes(cause.message) || message.includes((cause as NodeJS.ErrnoException).code ?? '\0');
  const where = (cause as NodeJS.ErrnoException).syscall === undefined ? '  --verbose shows where\n' : '';
  return `${isTold ? '' : `  caused by: ${cause.message}\n`}${where}`;
}

function summarizeError(error: unknown): { readonly code: string | null; readonly message: string } {
  return { code: isMillraceError(error) ? error.code : null, message: error instanceof Error ? error.message : String(error) };
}

function usage(message: string): MillraceError {
  return new MillraceError('MILLRACE_FLAG_INVALID', `${message}. See millrace help`);
}

function wrap(flags: readonly string[]): string {
  const lines: string[] = [''];
  for (const flag of flags) {
    if ((lines.at(-1) ?? '').length + flag.length > 90) lines.push('');
    lines[lines.length - 1] = `${lines.at(-1) ?? ''}${flag} `;
  }
  return lines.map((line) => line.trimEnd()).join('\n                         ');
}
