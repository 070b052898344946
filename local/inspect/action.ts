import type { Project } from '../project.ts';
import { basename } from 'node:path';
import { MillraceError } from '../../functions/shared/errors.ts';
import type { Arguments } from '../args.ts';
import type { CliIo } from '../cli.ts';
import { openProject } from '../project.ts';

/** What each action of a command takes behind its file, as the help names it; what ends in `?` may be missing. */
export type Actions<A extends string> = Readonly<Record<A, readonly string[]>>;

export interface Action<A extends string> {
  readonly action: A;
  readonly project: Project;
  /** What stands behind the file. */
  readonly words: readonly string[];
}

/**
 * Takes `millrace COMMAND ACTION FILE WORDS…` apart and opens the file.
 *
 * @throws MILLRACE_FLAG_INVALID
 */
export async function openAction<A extends string>(actions: Actions<A>, args: Arguments, io: CliIo): Promise<Action<A>> {
  const [command = '', action = '', file, ...words] = args.positionals;
  const known = Object.keys(actions) as A[];
  if (!isOneOf(action, known)) {
    const given = action === '' ? `millrace ${command} needs an action` : `there is no action '${action}' of millrace ${command}`;
    throw wrongCall(`${given}; there are ${known.join(', ')}`);
  }
  return { action, words, project: await openFile(`millrace ${command} ${action}`, file, words, actions[action], args, io) };
}

/**
 * The same of `millrace COMMAND FILE WORDS…`.
 *
 * @param wanted - What stands behind the file.
 */
export async function openCommand(wanted: readonly string[], args: Arguments, io: CliIo): Promise<Omit<Action<never>, 'action'>> {
  const [command = '', file, ...words] = args.positionals;
  return { words, project: await openFile(`millrace ${command}`, file, words, wanted, args, io) };
}

function openFile(
  call: string,
  file: string | undefined,
  words: readonly string[],
  wanted: readonly string[],
  args: Arguments,
  io: CliIo,
): Promise<Project> {
  const usage = [call, 'FILE', ...wanted.map((name) => (name.endsWith('?') ? `[${name.slice(0, -1)}]` : name))].join(' ');
  if (file === undefined) throw wrongCall(`${call} needs a pipeline file: ${usage}`);
  const missing = wanted[words.length];
  if (missing !== undefined && !missing.endsWith('?')) throw wrongCall(`${missing} is missing: ${usage}`);
  if (words.length > wanted.length)
    throw wrongCall(`unexpected '${words.slice(wanted.length).join(' ')}' behind ${words[wanted.length - 1] ?? basename(file)}: ${usage}`);
  return openProject(file, args, io);
}

/** A count or offset from the command line. @throws MILLRACE_FLAG_INVALID */
export function parseCount(what: string, text: string, least = 0): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
  throw wrongCall(`${what} is '${text}'; give a whole number from ${least}`);
}

/** @throws MILLRACE_FLAG_INVALID `name` is none of `known`. */
export function checkKnown(what: string, name: string, known: readonly string[]): void {
  if (!known.includes(name)) throw wrongCall(`there is no ${what} '${name}'; there are ${known.join(', ') || 'none'}`);
}

function isOneOf<A extends string>(text: string, known: readonly A[]): text is A {
  return (known as readonly string[]).includes(text);
}

export function wrongCall(message: string): MillraceError {
  return new MillraceError('MILLRACE_FLAG_INVALID', `${message}. See millrace help`);
}
