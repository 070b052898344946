import type { FrameReader } from '../codec/frame-reader.ts';
import { MillraceError } from '../shared/errors.ts';
import { stateKey } from '../shared/key.ts';
import { tableId } from '../state/tables.ts';
import type { TaskState } from '../state/task-state.ts';
import { FrameRecord } from './pending-record.ts';

/**
 * Upstream of frames that bring dead letters back. No mark is kept of it, as letters come in any order and any number of times: the task's
 * state alone says whether a record is applied.
 */
export const REPLAY_UPSTREAM = 'dlq';

/**
 * What stands in the place of a value in such a frame. `dead`: a dead letter of this very task, by its origin; applied while it is noted as
 * dead. `once`: what a source stage without a fence makes of one, by the origin that it would have had; applied unless it is noted as applied.
 */
export type ReplayedValue = readonly [rule: 'dead' | 'once', name: string, value: unknown];

/** Table of `dead/<origin>`: dead letters that may be replayed once. */
export const DEAD_LETTERS = tableId('value', '$runtime', 'dead');
/** Table of what a source stage without a fence has put out for a replayed dead letter. */
const REPLAYED = tableId('value', '$runtime', 'replayed');

/**
 * Whether a replayed record is to be applied, by what this very state says; if so, notes that it is. The note is committed together with
 * what the record does, so neither happens twice, whoever replays at the same time.
 */
export function admitReplay(state: TaskState, rule: ReplayedValue[0], name: string): boolean {
  const table = state.table(rule === 'dead' ? DEAD_LETTERS : REPLAYED);
  const key = stateKey(name);
  const isNoted = table.entries.has(key);
  if (rule === 'dead') state.delete(table, key);
  else if (!isNoted) state.set(table, key, true);
  return isNoted === (rule === 'dead');
}

/** The replayed record at which a frame's reader stands; one object a frame. */
export class ReplayedRecord extends FrameRecord {
  admit(state: TaskState): boolean {
    const [rule, name] = this.read();
    return admitReplay(state, rule, name);
  }

  /** That of the dead letter: one that fails again is the same dead letter. */
  override origin(): string {
    return this.read()[1];
  }

  override value(): unknown {
    return this.read()[2];
  }

  private read(): ReplayedValue {
    const value = readReplayed(this.reader);
    if (value) return value;
    throw new MillraceError(
      'MILLRACE_FRAME_CORRUPT',
      `record ${this.reader.position} of offset ${this.offset} comes from upstream ${REPLAY_UPSTREAM}, but is no replayed dead letter; only Millrace may write to a channel`,
    );
  }
}

/** What the record of a frame of replays holds; undefined if it is none. */
export function readReplayed(reader: FrameReader): ReplayedValue | undefined {
  if (reader.upstream !== REPLAY_UPSTREAM) return undefined;
  const value = reader.value();
  return isReplayedValue(value) ? value : undefined;
}

function isReplayedValue(value: unknown): value is ReplayedValue {
  return Array.isArray(value) && value.length === 3 && (value[0] === 'dead' || value[0] === 'once') && typeof value[1] === 'string';
}
