import type { PipelinePlan } from '../../functions/graph/stage-plan.ts';
import { DEAD_LETTERS } from '../../functions/runtime/replayed-record.ts';
import { stateKey } from '../../functions/shared/key.ts';
import { parseOrigin, taskName } from '../../functions/shared/origin.ts';
import { compareOrigins, type Fence } from '../../functions/state/fence.ts';
import type { StateBackend } from '../../functions/state/state-backend.ts';
import { readTask, type TaskView } from '../inspect/state-reader.ts';
import type { RoutedLetter } from './replayer.ts';

/** Looks up what tasks with a fence have committed about their dead letters; each task is read once. */
export class LetterStates {
  private readonly backend: StateBackend;
  private readonly plan: PipelinePlan;
  private readonly tasks = new Map<string, TaskView | undefined>();

  constructor(backend: StateBackend, plan: PipelinePlan) {
    this.backend = backend;
    this.plan = plan;
  }

  /** `dead`: a replay will be applied. A letter is published just before it is committed, so it may be `uncommitted`. */
  async find({ letter, stage, topic, partition }: RoutedLetter): Promise<'dead' | 'applied' | 'uncommitted'> {
    const name = `${stage.id}/${topic}-${partition}`;
    if (!this.tasks.has(name)) this.tasks.set(name, await readTask(this.backend, this.plan, stage, topic, partition));
    const task = this.tasks.get(name);
    if (!task) return 'uncommitted';
    if (task.state.table(DEAD_LETTERS).entries.has(stateKey(letter.origin))) return 'dead';
    return isCommitted(task.node.fence, letter.origin, letter.task) ? 'applied' : 'uncommitted';
  }
}

/** Whether the fence is beyond the record with this origin: of an upstream task, or of the task's own input. */
function isCommitted({ marks, next }: Fence, origin: string, task: string): boolean {
  const place = parseOrigin(origin);
  if (!place) return true;
  const upstream = taskName(place.stage, place.topic, place.partition, place.generation);
  if (upstream === task) return place.offset < next;
  const mark = marks.get(upstream);
  return mark !== undefined && compareOrigins(place, mark) <= 0;
}
