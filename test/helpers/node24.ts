import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** Lambda's Node, which `npm test` installs apart from the project; undefined where it could not be had. */
export function node24Path(): string | undefined {
  const path = resolve('.config', 'node24', 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
  return existsSync(path) ? path : undefined;
}
