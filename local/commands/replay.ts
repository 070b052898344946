import type { Arguments } from '../args.ts';
import type { CliIo } from '../cli.ts';
import { MillraceError } from '../../functions/shared/errors.ts';
import { checkKnown, wrongCall } from '../inspect/action.ts';
import { type DeadLetterView, identityOf, parseDeadLetter } from '../inspect/dead-letter.ts';
import { openLogToRead } from '../inspect/log-reader.ts';
import { openStateToRead } from '../inspect/state-reader.ts';
import type { Project } from '../project.ts';
import { isSelected, type LetterSelection, parseOffsets } from '../replay/letter-selection.ts';
import { LetterStates } from '../replay/letter-state.ts';
import { checkConsent } from '../replay/replay-consent.ts';
import { describeReplays, type ReplayResult, summarizeReplay } from '../replay/replay-outcome.ts';
import { routeOf } from '../replay/replay-route.ts';
import { openReplayTarget } from '../replay/replay-target.ts';
import { replayLetters, type RoutedLetter } from '../replay/replayer.ts';

/** `millrace dlq replay`: brings dead letters back to the tasks that buried them. Exit code 1 if one that was run here has failed again. */
export async function runReplay(project: Project, args: Arguments, io: CliIo, offsets: string | undefined): Promise<number> {
  const isJson = args.switches.has('json');
  const letters = await readSelected(project, io, selectionOf(project, args, offsets));
  const results = await replay(project, letters, args, io);
  const topic = project.plan.deadLetterTopic;
  const text = isJson ? results.map((one) => `${JSON.stringify(summarizeReplay(one))}\n`).join('') : describeReplays(topic, results);
  io.stdout.write(text);
  return results.some(({ outcome }) => outcome === 'failed') ? 1 : 0;
}

function selectionOf({ plan }: Project, { flags, switches }: Arguments, text: string | undefined): LetterSelection {
  const [stage, code] = [flags.get('stage'), flags.get('code')];
  const isAll = switches.has('all');
  if (text !== undefined && isAll) throw wrongCall(`give either OFFSETS or --all, not both`);
  if (text === undefined && !isAll && stage === undefined && code === undefined)
    throw wrongCall('say which dead letters to replay: OFFSETS (3,7-9), --stage STAGE, --code CODE, or --all');
  if (stage !== undefined)
    checkKnown(
      'stage',
      stage,
      plan.stages.map(({ id }) => id),
    );
  return { offsets: text === undefined ? undefined : parseOffsets(text), stage, code };
}

/** The first copy of each dead letter of which a copy is selected, by offset. */
async function readSelected(project: Project, io: CliIo, selection: LetterSelection): Promise<DeadLetterView[]> {
  const topic = project.plan.deadLetterTopic;
  const chosen = new Map<string, DeadLetterView>();
  const seen: number[] = [];
  await openLogToRead(project, io.cwd).read(topic, (message) => {
    const letter = parseDeadLetter(message);
    seen.push(letter.offset);
    const identity = identityOf(letter);
    if (isSelected(selection, letter) && !chosen.has(identity)) chosen.set(identity, letter);
  });
  for (const [first, last] of selection.offsets ?? []) {
    if (!seen.some((offset) => first <= offset && offset <= last))
      throw new MillraceError(
        'MILLRACE_MESSAGE_MISSING',
        `topic ${topic} holds no dead letter at ${first === last ? `offset ${first}` : `offsets ${first} to ${last}`}. Offsets are those of millrace dlq ls`,
      );
  }
  return [...chosen.values()].sort((a, b) => a.offset - b.offset);
}

async function replay(project: Project, letters: readonly DeadLetterView[], args: Arguments, io: CliIo): Promise<ReplayResult[]> {
  const { plan } = project;
  const results: ReplayResult[] = [];
  let routed: RoutedLetter[] = [];
  for (const letter of letters) {
    const route = routeOf(letter, plan);
    if (route.by === 'none') results.push({ letter, outcome: 'refused', why: route.why });
    else routed.push({ letter, ...route });
  }
  checkConsent(routed, project, { mayAppend: args.switches.has('append-to-source'), mayRepeat: args.switches.has('at-least-once') });
  const states = await findStates(project, routed, io);
  for (const { letter } of routed) {
    const state = states.get(letter);
    if (state === 'applied' || state === 'uncommitted') results.push({ letter, outcome: state });
  }
  routed = routed.filter(({ letter }) => (states.get(letter) ?? 'dead') === 'dead');
  if (args.switches.has('dry-run')) results.push(...routed.map(({ letter }): ReplayResult => ({ letter, outcome: 'chosen' })));
  else if (routed.length > 0) results.push(...(await send(project, routed, args, io)));
  return results.sort((a, b) => a.letter.offset - b.letter.offset);
}

/**
 * What the tasks say of letters that go back to a fence. Only so that people are told: what is sent in spite of it is dropped there. Empty
 * where the state is in the memory of a run.
 */
async function findStates(
  project: Project,
  routed: readonly RoutedLetter[],
  io: CliIo,
): Promise<ReadonlyMap<DeadLetterView, 'dead' | 'applied' | 'uncommitted'>> {
  const found = new Map<DeadLetterView, 'dead' | 'applied' | 'uncommitted'>();
  const fenced = routed.filter(({ by }) => by !== 'here');
  const { zookeeper, data } = project.config;
  if (fenced.length === 0 || (zookeeper === undefined && data === undefined)) return found;
  const backend = openStateToRead(project, io);
  try {
    const states = new LetterStates(backend, project.plan);
    for (const one of fenced) found.set(one.letter, await states.find(one));
    return found;
  } finally {
    await backend.close();
  }
}

async function send(project: Project, routed: readonly RoutedLetter[], { switches }: Arguments, io: CliIo): Promise<ReplayResult[]> {
  const target = openReplayTarget(project, io.cwd);
  const out = switches.has('json') ? io.stderr : io.stdout;
  try {
    return await replayLetters(routed, {
      project,
      target,
      print: (line) => out.write(`${line}\n`),
      log: (line) => io.stderr.write(`${line}\n`),
    });
  } finally {
    await target.close();
  }
}
