import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePorts } from './ports.ts';
import { servicesPlace, type ServicesPlace } from './place.ts';
import type { ServicesStatus } from './shared-services.ts';

/** How a command ended. */
interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `npm run services` with a folder and ports of its own, so that a test of it does not meet the services that tests share. */
export class ServicesCommandProcess {
  readonly place: ServicesPlace;
  readonly #env: NodeJS.ProcessEnv;

  constructor(folder: string, portBase: number) {
    this.#env = { MILLRACE_SERVICES_FOLDER: folder, MILLRACE_SERVICES_PORT_BASE: String(portBase) };
    this.place = servicesPlace(this.#env);
  }

  run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Ended {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'test/services/run.ts', ...args], {
      env: { ...withoutServices(process.env), ...this.#env, ...env },
      encoding: 'utf8',
    });
    return { code: status, stdout, stderr };
  }

  status(): ServicesStatus {
    return JSON.parse(this.run(['status', '--json']).stdout) as ServicesStatus;
  }

  dispose(): void {
    if (existsSync(join(this.place.folder, 'data'))) this.run(['down']);
    rmSync(this.place.folder, { recursive: true, force: true });
  }
}

export async function openCommand(): Promise<ServicesCommandProcess> {
  return new ServicesCommandProcess(mkdtempSync(join(tmpdir(), 'millrace-services-')), await findFreePorts(30));
}

/** Addresses of the services of the run that this is in. */
function withoutServices(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('MILLRACE_TEST_')));
}
