import { type Replay, replayHeader } from '../../functions/runtime/kafka-event.ts';
import { type BuriedMessage, replayMessage } from '../../functions/runtime/replay-source.ts';
import { DEFAULT_RUNTIME_OPTIONS, StageRuntime } from '../../functions/runtime/stage-runtime.ts';
import { openLivingState } from '../../functions/state/living-state.ts';
import { ALL_OPERATORS } from '../../functions/operators/all-operators.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import { type ErrorCode, isMillraceError } from '../../functions/shared/errors.ts';
import { parseOrigin } from '../../functions/shared/origin.ts';
import type { StagePlan } from '../../functions/graph/stage-plan.ts';
import type { DeadLetterView } from '../inspect/dead-letter.ts';
import type { Project } from '../project.ts';
import { replayFrames } from './replay-frames.ts';
import type { ReplayResult } from './replay-outcome.ts';
import type { LetterTask } from './replay-route.ts';
import type { ReplayTarget } from './replay-target.ts';

/** A dead letter, and the task that it goes back to. */
export interface RoutedLetter extends LetterTask {
  readonly by: 'channel' | 'topic' | 'here';
  readonly letter: DeadLetterView;
}

export interface ReplayOptions {
  readonly project: Pick<Project, 'plan' | 'graph'>;
  readonly target: Pick<ReplayTarget, 'channels' | 'portsOf'>;
  /** Takes lines of print sinks of stages that are run here. */
  readonly print: (line: string) => void;
  /** Takes lines for whoever operates the pipeline. */
  readonly log: (line: string) => void;
}

/** Each letter once, by ascending offset; what one is sent as is acknowledged before the next. */
export async function replayLetters(letters: readonly RoutedLetter[], options: ReplayOptions): Promise<ReplayResult[]> {
  const replayer = new Replayer(options);
  const results: ReplayResult[] = [];
  for (const letter of letters) results.push(await replayer.replay(letter));
  return results;
}

class Replayer {
  private readonly options: ReplayOptions;
  private readonly runtimes = new Map<string, StageRuntime>();

  constructor(options: ReplayOptions) {
    this.options = options;
  }

  async replay(routed: RoutedLetter): Promise<ReplayResult> {
    const { letter } = routed;
    try {
      const failure = await this.send(routed);
      if (!failure) return { letter, outcome: 'replayed' };
      return { letter, outcome: 'failed', why: `${failure.code}: ${failure.message}` };
    } catch (error) {
      // Of this letter alone; the others may do.
      if (isMillraceError(error) && error.retry === 'never' && LETTER_ERRORS.has(error.code))
        return { letter, outcome: 'failed', why: `${error.code}: ${error.message}` };
      throw error;
    }
  }

  private async send(routed: RoutedLetter): Promise<{ readonly code: string; readonly message: string } | undefined> {
    if (routed.by === 'here') return replayMessage(this.runtimeOf(routed.stage), toMessage(routed));
    await (routed.by === 'channel' ? this.sendFrame(routed) : this.sendMessage(routed));
    return undefined;
  }

  private async sendFrame({ letter, topic, partition }: RoutedLetter): Promise<void> {
    const { project, target } = this.options;
    const { offset, origin, value } = letter;
    const frames = replayFrames([{ offset, origin, value: value ?? NO_BYTES }], project.plan.settings.frameBytes, systemClock.now());
    for (const frame of frames) await target.channels.append(topic, partition, [{ key: null, value: frame }]);
  }

  private async sendMessage({ letter, stage, topic, partition }: RoutedLetter): Promise<void> {
    const { key, value, origin } = letter;
    const replay: Replay = { group: stage.group, time: timeOf(letter), origin };
    await this.options.target.channels.append(topic, partition, [{ key, value, headers: [replayHeader(replay), ...letter.headers] }]);
  }

  private runtimeOf(stage: StagePlan): StageRuntime {
    let runtime = this.runtimes.get(stage.id);
    if (runtime) return runtime;
    const { project, target, print, log } = this.options;
    const ports = { ...target.portsOf(stage), state: undefined, clock: systemClock, print, log };
    const code = { stage, graph: project.graph, operators: ALL_OPERATORS, states: { living: openLivingState } };
    this.runtimes.set(stage.id, (runtime = new StageRuntime(project.plan, code, ports, DEFAULT_RUNTIME_OPTIONS)));
    return runtime;
  }
}

const LETTER_ERRORS: ReadonlySet<string> = new Set<ErrorCode>([
  'MILLRACE_VALUE_TOO_LARGE',
  'MILLRACE_VALUE_NOT_ENCODABLE',
  'MILLRACE_MESSAGE_TOO_LARGE',
  'MILLRACE_DECODE_FAILED',
  'MILLRACE_REPLAY_REFUSED',
  'MILLRACE_TIMESTAMP_REFUSED',
]);
const NO_BYTES = new Uint8Array();

function toMessage({ letter, topic, partition }: RoutedLetter): BuriedMessage {
  const { origin, key, value, headers } = letter;
  const place = { topic, partition, offset: parseOrigin(origin)?.offset ?? 0 };
  return { ...place, time: timeOf(letter), key, value: value ?? NO_BYTES, headers };
}

/** Of its message; a letter that does not tell it was written a moment after. */
function timeOf({ messageTime, timestamp }: DeadLetterView): number {
  return messageTime ?? timestamp;
}
