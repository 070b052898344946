import { runBundled } from './bundled-script.ts';
import type { Figure } from './figure.ts';

/**
 * Windows in a stage handler: a million bids in tumbling windows beside a Map by hand, sixty windows a record beside one, a hundred thousand
 * open sessions, and the state over a thousand windows. Not measured: as for `handler`.
 */
export function windowFigures(): Promise<Figure[]> {
  return runBundled('windows-query', ['tumbling', 'sliding', 'sessions', 'state']);
}
