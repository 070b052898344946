import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join, sep } from 'node:path';
import type { Say } from './artifacts.ts';
import { removeAbandoned } from './abandoned.ts';
import { exclusively } from './exclusive.ts';
import type { ServicesPlace } from './place.ts';
import { ServicesError } from './services-error.ts';
import type { ServiceName } from './settings.ts';
import { readServices, startServices, stopServices } from './shared-services.ts';

const jest = join('node_modules', 'jest', 'bin', 'jest.js');

/** What the tests in the repository want of the shared services; those that need an ensemble kill its members, so they start their own. */
const wish = { names: ['kafka', 'kafka4', 'zookeeper'], hasTls: true, isForBench: false } as const;

/**
 * Runs jest with the services that its tests need, ends those that did not run before, and resolves to the exit code. Where services can't be had, says
 * why and lets the tests be skipped; on CI that is an error.
 */
export async function runJest(place: ServicesPlace, args: readonly string[], say: Say): Promise<number> {
  const signals = catchSignals();
  if (!needServices(args)) return spawnJest(args, {}, signals);
  const started = await startOrExplain(place, say);
  try {
    return signals.caught === undefined ? await spawnJest(args, serviceVariables(place), signals) : exitCode(signals.caught);
  } finally {
    await exclusively(place.folder, say, async () => {
      await stopServices(place, started, { keepsData: false });
      await removeAbandoned(place);
    });
  }
}

/** Whether one of the tests that jest would run needs services: it lies in their folder, or imports what gives their addresses. */
function needServices(args: readonly string[]): boolean {
  if (args.length === 0) return true;
  const { stdout } = spawnSync(process.execPath, [jest, ...args, '--listTests'], { encoding: 'utf8' });
  const services = `${sep}test${sep}services${sep}`;
  return stdout.split('\n').some((path) => path.endsWith('.test.ts') && (path.includes(services) || importsServices(path)));
}

function importsServices(path: string): boolean {
  return /from '\.[^']*\/helpers\/(services|kafka|zookeeper)\.ts'/.test(readFileSync(path, 'utf8'));
}

async function startOrExplain(place: ServicesPlace, say: Say): Promise<ServiceName[]> {
  const before = readServices(place);
  try {
    return await exclusively(place.folder, say, () => startServices(place, wish, say));
  } catch (error) {
    if (!(error instanceof ServicesError) || process.env['CI'] === 'true') throw error;
    say(`${error.message}\n==> tests that need Kafka or ZooKeeper are skipped`);
    return wish.names.filter((name) => before[name] === undefined && readServices(place)[name] !== undefined);
  }
}

/** Told to jest and its workers; a variable that is set already names a service of the user's own, and stays. */
function serviceVariables(place: ServicesPlace): NodeJS.ProcessEnv {
  const services = readServices(place);
  return Object.fromEntries(
    wish.names.flatMap((name) => (services[name] ? [[`MILLRACE_TEST_${name.toUpperCase()}`, services[name].address]] : [])),
  );
}

interface CaughtSignals {
  caught: NodeJS.Signals | undefined;
  onSignal: (signal: NodeJS.Signals) => void;
}

/** From now on a signal ends this process only after the services were ended. */
function catchSignals(): CaughtSignals {
  const signals: CaughtSignals = { caught: undefined, onSignal: () => undefined };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      signals.caught = signal;
      signals.onSignal(signal);
    });
  }
  return signals;
}

function spawnJest(args: readonly string[], variables: NodeJS.ProcessEnv, signals: CaughtSignals): Promise<number> {
  const child = spawn(process.execPath, [jest, ...args], { stdio: 'inherit', env: { ...variables, ...process.env } });
  // Ctrl-C reaches jest by itself.
  signals.onSignal = (signal) => {
    if (signal !== 'SIGINT') child.kill(signal);
  };
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? exitCode(signal ?? 'SIGKILL')));
  });
}

const exitCode = (signal: NodeJS.Signals): number => 128 + constants.signals[signal];
