import { MillraceError } from '../../functions/shared/errors.ts';
import type { Project } from '../project.ts';
import type { RoutedLetter } from './replayer.ts';

/** What whoever replays has agreed to. */
export interface Consent {
  /** To copies of messages in topics that others may read. */
  readonly mayAppend: boolean;
  /** To results in sinks that a second replay repeats. */
  readonly mayRepeat: boolean;
}

/** @throws MILLRACE_REPLAY_REFUSED before anything is sent: a stage's letters cannot be replayed, or only in a way that was not asked for. */
export function checkConsent(letters: readonly RoutedLetter[], { plan }: Pick<Project, 'plan'>, { mayAppend, mayRepeat }: Consent): void {
  const feeds = new Set(plan.feeds.map(({ topic }) => topic));
  for (const { by, stage, topic } of letters) {
    if (by === 'topic' && feeds.has(topic))
      throw refused(
        stage.id,
        `it keeps a fence, so they must come through its topic ${topic}, whose offsets are those of its source: nothing else may be appended`,
        'a hop (.hop(), .keyBy()) between source and stage makes a stage whose dead letters can be',
      );
    if (by === 'topic' && !mayAppend)
      throw refused(
        stage.id,
        `it keeps a fence, so they must come through its topic ${topic}, where others would read them too`,
        'give --append-to-source to append them there; Millrace stages other than this one drop them',
      );
    const sinks = stage.operators.filter(({ kind }) => kind === 'sink');
    if (by === 'here' && sinks.length > 0 && !mayRepeat)
      throw refused(
        stage.id,
        `it has no fence and writes to ${sinks.map(({ name }) => name).join(', ')} itself, so nothing could tell that one was replayed before`,
        'give --at-least-once if a second replay may repeat the results',
      );
  }
}

function refused(stage: string, why: string, next: string): MillraceError {
  return new MillraceError(
    'MILLRACE_REPLAY_REFUSED',
    `dead letters of stage ${stage}: ${why}. Nothing has been replayed; ${next}, or choose other dead letters (--stage, --code, OFFSETS)`,
  );
}
