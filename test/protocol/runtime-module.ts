import type { createStageRuntime } from '../../functions/runtime/stage-handler.ts';

/** As much of the runtime as a world runs: the real one, or a mutant of it. */
export interface RuntimeModule {
  readonly createStageRuntime: typeof createStageRuntime;
}
