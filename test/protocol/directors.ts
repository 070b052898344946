import type { Director } from './simulator.ts';
import type { World } from './world.ts';

/** Directors are made anew for each run, as they count; the world is there once it runs. */
export type CreateDirector = (world: () => World) => Director;

/** The fault `name` at the `nth` chance that `point` gives it. Port calls give two chances each: before the effect and before the answer. */
export function at(point: string, nth: number, name: string): CreateDirector {
  return () => {
    let seen = 0;
    return (here, names) => (here === point && names.includes(name) && ++seen === nth ? name : undefined);
  };
}

/** The fault at every chance, up to so many times. */
export function always(point: string, name: string, most = Infinity): CreateDirector {
  return () => {
    let fired = 0;
    return (here, names) => (here === point && names.includes(name) && fired < most ? (fired++, name) : undefined);
  };
}

/** The fault whenever the world is in a state, up to so many times. */
export function when(point: string, name: string, isSo: (world: World) => boolean, most = 1): CreateDirector {
  return (world) => {
    let fired = 0;
    return (here, names) => (here === point && names.includes(name) && fired < most && isSo(world()) ? (fired++, name) : undefined);
  };
}

/** Several together; where two want the same chance, the first gets it. */
export function all(...creators: readonly CreateDirector[]): CreateDirector {
  return (world) => {
    const directors = creators.map((create) => create(world));
    return (point, names) => directors.map((director) => director(point, names)).find((name) => name !== undefined);
  };
}
