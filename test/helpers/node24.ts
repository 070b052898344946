import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** Lambda's Node, which `npm test` installs apart from the project; undefined where it could not be had. CI must have it. */
export function node24Path(): string | undefined {
  const path = resolve('.config', 'node24', 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
  if (existsSync(path)) return path;
  if (process.env['CI'] === 'true') throw new Error(`Node 24 is not installed (${path}): on CI its tests are not skipped`);
  return undefined;
}
