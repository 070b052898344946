/**
 * What `npm start`, `npm test`, `npm run dev`, `bench`, `bench:peers` and `services` run: installs the dependencies when they are missing or not the lock file's, then
 * hands over. Plain JavaScript without dependencies, because it runs before there are any. Writes to stderr only: stdout belongs to the command.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const node24 = join(root, '.config', 'node24');
const tsx = ['--import', 'tsx'];
const services = [...tsx, 'test/services/run.ts'];

/** Arguments of `node` by command; the user's own follow. */
const commands = {
  start: [...tsx, 'local/bin.ts', 'dev', 'functions/pipelines/flight-delays.ts'],
  dev: [...tsx, 'local/bin.ts'],
  bench: [...tsx, 'test/bench/run.ts'],
  'bench:peers': [...tsx, 'test/bench/peers/run.ts'],
  services,
  // Jest, with the services that its tests need.
  test: [...services, 'test'],
  // Needs no running services: it starts its own, to kill them.
  'test:chaos': [...tsx, 'test/chaos/run.ts'],
  'test:services': [...services, 'test', 'test/services/', 'test/contract/'],
  // What needs neither processes nor services.
  'test:unit': [join('node_modules', 'jest', 'bin', 'jest.js'), 'test/unit/', 'test/golden/', 'test/types/', 'test/contract/'],
};

function main([command, ...args]) {
  const nodeArgs = commands[command];
  if (!nodeArgs) fail(`bootstrap: ${command ?? 'no command'} is not one of ${Object.keys(commands).join(', ')}`);
  checkNodeVersion();
  if (!isInstalled(root)) install(root);
  if (command === 'test') installNode24();
  run([...nodeArgs, ...args]);
}

function checkNodeVersion() {
  const { engines } = readJson(join(root, 'package.json'));
  const [wanted, running] = [engines.node.replace('>=', ''), process.versions.node].map((version) => version.split('.').map(Number));
  const tooOld = running[0] < wanted[0] || (running[0] === wanted[0] && running[1] < wanted[1]);
  if (tooOld) fail(`millrace needs Node ${engines.node}; this is ${process.versions.node}`);
}

/**
 * Compares what npm wrote down after its last install with the lock file, package by package; so it also holds when the user ran `npm ci` or
 * `npm install`, and an install that was cut short (npm writes its record last) counts as none. Optional packages may be missing: other platforms'.
 */
function isInstalled(folder) {
  const record = join(folder, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const installed = readJson(record).packages;
  return Object.entries(readJson(join(folder, 'package-lock.json')).packages).every(([path, wanted]) => {
    const found = installed[path];
    return path === '' || (found ? found.version === wanted.version : wanted.optional === true);
  });
}

function install(folder) {
  process.stderr.write('Installing dependencies (npm ci) …\n');
  const { status } = npmCi(folder, 'inherit');
  if (status !== 0) fail('npm ci failed; the lines above say why', status ?? 1);
}

/** Tests of bundles run on Lambda's Node too, and skip that with a reason where it can't be had. */
function installNode24() {
  if (process.platform !== 'linux' || isInstalled(node24)) return;
  process.stderr.write('Installing Node 24 for tests of bundles …\n');
  const { status } = npmCi(node24, 'ignore');
  if (status !== 0) process.stderr.write('Node 24 could not be installed; tests that need it are skipped\n');
}

function npmCi(folder, output) {
  const npm = process.env.npm_execpath?.includes('npm-cli') ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const [program, ...args] = [...npm, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--no-progress', '--loglevel=error'];
  // npm's stdout goes to our stderr.
  const stdio = output === 'inherit' ? ['ignore', 2, 2] : 'ignore';
  return spawnSync(program, args, { cwd: folder, stdio });
}

/**
 * On a terminal the child gets Ctrl-C too, so we only wait for it; a signal sent to us alone is passed on. One sent to npm reaches the shell between
 * npm and us, which dies of it in silence: losing that parent is a signal as well.
 */
function run(nodeArgs) {
  const child = spawn(process.execPath, nodeArgs, { cwd: root, stdio: 'inherit' });
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  if (process.env.npm_lifecycle_event) onParentLost(() => child.kill('SIGTERM'));
  child.on('error', (error) => fail(error.message));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

function onParentLost(act) {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    act();
  }, 250);
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function fail(message, code = 1) {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}

main(process.argv.slice(2));
