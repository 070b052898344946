import type { Arguments } from '../args.ts';
import type { CliIo } from '../cli.ts';
import { MillraceError } from '../../functions/shared/errors.ts';
import { checkKnown, openAction, parseCount } from '../inspect/action.ts';
import { type DeadLetterView, identityOf, parseDeadLetter } from '../inspect/dead-letter.ts';
import { describeLetter, describeLetters, summarizeLetter } from '../inspect/describe-dead-letter.ts';
import { openLogToRead } from '../inspect/log-reader.ts';
import type { PartitionRange } from '../kafka/topic-reader.ts';
import type { Project } from '../project.ts';
import { runReplay } from './replay.ts';

const ACTIONS = { ls: [], show: ['OFFSET'], replay: ['OFFSETS?'] } as const;
/** Dead letters that `ls` shows if it is not told otherwise. */
const DEFAULT_LIMIT = 50;

/** `millrace dlq ls|show|replay`: the dead letters of a pipeline, the first copy of each. The first two only read; the run may be at work. */
export async function runDeadLetters(args: Arguments, io: CliIo): Promise<number> {
  const { action, project, words } = await openAction(ACTIONS, args, io);
  if (action === 'replay') return runReplay(project, args, io, words[0]);
  const isJson = args.switches.has('json');
  const text = action === 'ls' ? await listLetters(project, args, io, isJson) : await showLetter(project, words[0] ?? '', io, isJson);
  io.stdout.write(text);
  return 0;
}

async function listLetters(project: Project, { flags }: Arguments, io: CliIo, isJson: boolean): Promise<string> {
  const { deadLetterTopic: topic, stages } = project.plan;
  const [stage, code] = [flags.get('stage'), flags.get('code')];
  const limit = parseCount('--limit', flags.get('limit') ?? String(DEFAULT_LIMIT), 1);
  if (stage !== undefined)
    checkKnown(
      'stage',
      stage,
      stages.map(({ id }) => id),
    );
  const seen = new Set<string>();
  const newest: DeadLetterView[] = [];
  let [written, matching] = [0, 0];
  await openLogToRead(project, io.cwd).read(topic, (message) => {
    const letter = parseDeadLetter(message);
    written++;
    if (seen.size === seen.add(identityOf(letter)).size) return;
    if ((stage !== undefined && letter.stage !== stage) || (code !== undefined && letter.code !== code)) return;
    matching++;
    newest.push(letter);
    if (newest.length > limit) newest.shift();
  });
  if (isJson) return newest.map((letter) => `${JSON.stringify(summarizeLetter(letter))}\n`).join('');
  return describeLetters(newest, { topic, written, copies: written - seen.size, matching });
}

async function showLetter(project: Project, text: string, io: CliIo, isJson: boolean): Promise<string> {
  const offset = parseCount('OFFSET', text);
  const topic = project.plan.deadLetterTopic;
  const offsets = new Map<string, number[]>();
  const found: DeadLetterView[] = [];
  const ranges = await openLogToRead(project, io.cwd).read(topic, (message) => {
    const letter = parseDeadLetter(message);
    const identity = identityOf(letter);
    const copies = offsets.get(identity);
    if (copies) copies.push(letter.offset);
    else offsets.set(identity, [letter.offset]);
    if (letter.offset === offset) found.push(letter);
  });
  const [letter] = found;
  if (!letter) throw messageMissing(topic, offset, ranges);
  const copies = (offsets.get(identityOf(letter)) ?? []).filter((one) => one !== offset);
  return isJson ? `${JSON.stringify({ ...summarizeLetter(letter), copies })}\n` : describeLetter(letter, copies);
}

function messageMissing(topic: string, offset: number, ranges: readonly PartitionRange[]): MillraceError {
  const held = ranges.filter(({ low, high }) => high > low).map(({ low, high }) => `${low} to ${high - 1}`);
  const why = ranges.some(({ low }) => offset < low) ? '; retention has dropped what was before' : '';
  return new MillraceError(
    'MILLRACE_MESSAGE_MISSING',
    `there is no dead letter at offset ${offset} of topic ${topic}, which holds ${held.join(' and ') || 'nothing'}${why}. Offsets are those of millrace dlq ls`,
  );
}
