import type { Arguments } from './args.ts';
import { wrongCall } from './inspect/action.ts';

/** Flags that only some commands have. Settings, `--param`, `--config`, `--verbose`, `--help` and `--version` all have. */
const OWN_FLAGS: Readonly<Record<string, readonly string[]>> = {
  dev: ['json'],
  plan: ['json', 'mermaid', 'update-lock'],
  config: [],
  'state ls': ['json'],
  'state count': ['json'],
  'state get': ['json'],
  'dlq ls': ['json', 'stage', 'code', 'limit'],
  'dlq show': ['json'],
  'dlq replay': ['json', 'stage', 'code', 'all', 'dry-run', 'append-to-source', 'at-least-once'],
  why: ['json'],
};
const ALL_OWN = new Set(Object.values(OWN_FLAGS).flat());
/** What `plan` does, of which it does one. */
const EXCLUSIVE = ['json', 'mermaid', 'update-lock'];

/**
 * Refuses flags that the command would not look at. What is no command is left to who takes commands apart.
 *
 * @throws MILLRACE_FLAG_INVALID
 */
export function checkFlags({ positionals: [command = '', action = ''], switches, flags }: Arguments): void {
  const name = Object.hasOwn(OWN_FLAGS, command) ? command : `${command} ${action}`;
  const own = OWN_FLAGS[name];
  if (own === undefined) return;
  const given = [...switches, ...flags.keys()].filter((flag) => ALL_OWN.has(flag));
  const foreign = given.find((flag) => !own.includes(flag));
  if (foreign !== undefined) {
    const owners = Object.keys(OWN_FLAGS).filter((one) => OWN_FLAGS[one]?.includes(foreign));
    throw wrongCall(`millrace ${name} has no flag --${foreign}, which is one of millrace ${owners.join(', ')}`);
  }
  const exclusive = given.filter((flag) => EXCLUSIVE.includes(flag));
  if (exclusive.length > 1) throw wrongCall(`give one of ${exclusive.map((flag) => `--${flag}`).join(' and ')}`);
}
