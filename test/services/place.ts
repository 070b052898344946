import { join, resolve } from 'node:path';
import { ServicesError } from './services-error.ts';
import { defaultPortBase } from './settings.ts';

/** Where services keep what they write, and listen. */
export interface ServicesPlace {
  readonly folder: string;
  /** First port of those that all tests share. */
  readonly portBase: number;
  /** Folders of servers that tests start for themselves. */
  readonly testsFolder: string;
}

/**
 * `.services` in this checkout, and the default ports, unless MILLRACE_SERVICES_FOLDER or MILLRACE_SERVICES_PORT_BASE say otherwise: two sets can then run
 * side by side.
 */
export function servicesPlace(env: NodeJS.ProcessEnv = process.env): ServicesPlace {
  const folder = resolve(env['MILLRACE_SERVICES_FOLDER'] ?? '.services');
  return { folder, portBase: parsePortBase(env['MILLRACE_SERVICES_PORT_BASE']), testsFolder: join(folder, 'tests') };
}

export function parsePortBase(text: string | undefined): number {
  if (text === undefined) return defaultPortBase;
  const base = Number(text);
  if (Number.isInteger(base) && base >= 1024 && base <= 65_000) return base;
  throw new ServicesError(
    'USAGE',
    `the port base is '${text}'; it must be a whole number from 1024 to 65000, the first port of the services`,
  );
}
