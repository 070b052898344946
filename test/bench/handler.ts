import { runBundled } from './bundled-script.ts';
import type { Figure } from './figure.ts';
import { floors } from './floor.ts';

/**
 * ns a record of a stage handler beside the same work by hand. Each query in a process of its own and bundled, as a stage is. Not measured:
 * the log and the store behind the ports (a null log, a store in memory), cold starts, more than one task at a time.
 */
export function handlerFigures(): Promise<Figure[]> {
  return runBundled('handler-query', Object.keys(floors));
}
