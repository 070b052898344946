import { MillraceError } from '../shared/errors.ts';
import { isGeneratedUid } from './names.ts';
import type { PipelinePlan, StagePlan, StateShape } from './stage-plan.ts';

/** Name of the lock file, beside the pipeline's file; its user commits it. */
export const LOCK_FILE = 'millrace.lock.json';

/** What has been planned before, so that a change which would lose or misread state is an error before anything runs. */
export interface LockFile {
  readonly version: 1;
  readonly pipelines: Readonly<Record<string, PipelineLock>>;
}

export interface PipelineLock {
  readonly generation: number;
  /** Both fix where a key's state lies. */
  readonly maxParallelism: number;
  readonly stateFragments: number;
  /** By uid: the sources, which have positions, and the operators that have state or timers. */
  readonly operators: Readonly<Record<string, OperatorLock>>;
}

export interface OperatorLock {
  readonly kind: string;
  /** State is stored under the id of its stage. */
  readonly stage: string;
  readonly states: Readonly<Record<string, StateLock>>;
}

export type StateLock = Omit<StateShape, 'name' | 'ttlMs'>;

/** The generation that the lock file holds for a pipeline; 1 for a new one. */
export function lockedGeneration(lock: LockFile | undefined, pipeline: string): number {
  return pipelineOf(lock, pipeline)?.generation ?? 1;
}

/**
 * The lock file after a plan: with its new uids and states.
 *
 * @throws MILLRACE_UID_ORPHANED, MILLRACE_STATE_RETYPED, MILLRACE_OPTION_INVALID if the plan would lose or misread what is locked.
 */
export function updateLock(lock: LockFile | undefined, plan: PipelinePlan): LockFile {
  const planned = lockOf(plan);
  const held = pipelineOf(lock, plan.pipeline);
  if (held !== undefined) checkAgainst(held, planned, plan.pipeline);
  return { version: 1, pipelines: { ...lock?.pipelines, [plan.pipeline]: planned } };
}

function pipelineOf(lock: LockFile | undefined, pipeline: string): PipelineLock | undefined {
  return lock !== undefined && Object.hasOwn(lock.pipelines, pipeline) ? lock.pipelines[pipeline] : undefined;
}

function lockOf({ generation, maxParallelism, stateFragments, stages }: PipelinePlan): PipelineLock {
  return { generation, maxParallelism, stateFragments, operators: Object.fromEntries(stages.flatMap(operatorsOf)) };
}

function operatorsOf(stage: StagePlan): readonly (readonly [uid: string, lock: OperatorLock])[] {
  const { input } = stage;
  const source =
    input.kind === 'source' && !isGeneratedUid(input.uid) ? [[input.uid, { kind: 'source', stage: stage.id, states: {} }] as const] : [];
  const stateful = stage.operators.flatMap(({ uid, kind, keyed, states }) => {
    const locked = states.map(({ name, ttlMs: _, ...state }) => [name, state] as const);
    return uid === null || isGeneratedUid(uid) || (!keyed && states.length === 0)
      ? []
      : [[uid, { kind, stage: stage.id, states: Object.fromEntries(locked) }] as const];
  });
  return [...source, ...stateful];
}

function checkAgainst(held: PipelineLock, planned: PipelineLock, pipeline: string): void {
  for (const option of ['maxParallelism', 'stateFragments'] as const) {
    if (planned[option] === held[option]) continue;
    throw new MillraceError(
      'MILLRACE_OPTION_INVALID',
      `pipeline '${pipeline}' has ${option} ${planned[option]}, but its state was laid out with ${held[option]} (${LOCK_FILE}): set it to ${held[option]}`,
    );
  }
  for (const [uid, operator] of Object.entries(held.operators)) checkOperator(uid, operator, planned.operators[uid], pipeline);
}

function checkOperator(uid: string, held: OperatorLock, planned: OperatorLock | undefined, pipeline: string): void {
  if (planned === undefined) throw orphaned(`${held.kind} '${uid}' is in ${LOCK_FILE} and no longer in the plan`, uid, pipeline);
  if (planned.stage !== held.stage) {
    throw orphaned(
      `the state of '${uid}' is stored under stage '${held.stage}', and it would now run in stage '${planned.stage}'`,
      uid,
      pipeline,
    );
  }
  if (planned.kind !== held.kind) throw retyped(`'${uid}' is now ${planned.kind} and was ${held.kind}`, uid, pipeline);
  for (const [name, state] of Object.entries(held.states)) {
    const now = planned.states[name];
    if (now === undefined) throw orphaned(`state '${name}' of '${uid}' is in ${LOCK_FILE} and no longer declared`, uid, pipeline);
    const [version, before] = [now.version ?? 1, state.version ?? 1];
    if (version < before)
      throw new MillraceError(
        'MILLRACE_STATE_VERSION',
        `state '${name}' of '${uid}' has version ${version}, and ${LOCK_FILE} says that version ${before} has been planned: what is stored may be of that one. ` +
          `Bring back its code, or give the state a version above ${before} and a migrate function`,
      );
    if (now.kind === state.kind && (now.type === state.type || version > before)) continue;
    const migrates = now.kind === state.kind && !name.startsWith('$'); // those of built-in operators have no descriptor
    throw retyped(
      `state '${name}' of '${uid}' is now ${now.kind} ${now.type} and was ${state.kind} ${state.type}`,
      uid,
      pipeline,
      migrates,
    );
  }
}

function orphaned(what: string, uid: string, pipeline: string): MillraceError {
  return new MillraceError('MILLRACE_UID_ORPHANED', `${what}: bring it back, or, if what it holds may be lost, ${removal(uid, pipeline)}`);
}

function retyped(what: string, uid: string, pipeline: string, migrates = false): MillraceError {
  return new MillraceError(
    'MILLRACE_STATE_RETYPED',
    `${what}: give the new one another name or uid${migrates ? ', or a higher version and a migrate function' : ''}, or, if what is stored fits, ${removal(uid, pipeline)}`,
  );
}

function removal(uid: string, pipeline: string): string {
  return `remove pipelines.${pipeline}.operators.${uid} from ${LOCK_FILE}`;
}

/** The file's text: stable, so that it only differs where the plan does. */
export function formatLock(lock: LockFile): string {
  return `${JSON.stringify(sortKeys(lock), null, 2)}\n`;
}

function sortKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([name, item]) => [name, sortKeys(item)]));
}
