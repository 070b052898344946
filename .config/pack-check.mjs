/** Packs the build and looks at it as a user gets it: publint, attw, and every entry point loaded both ways, on each Node we have. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const pkg = JSON.parse(readFileSync('package.json', 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'millrace-pack-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

function run(program, args, options = {}) {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', ...options });
  if (status === 0) return stdout;
  console.error(`${[program, ...args].join(' ')}\n${stdout}${stderr}`);
  process.exit(1);
}

const bin = (name) => resolve('node_modules', '.bin', name);

run('npm', ['pack', '--loglevel=error', '--pack-destination', folder]);
const tarball = join(
  folder,
  readdirSync(folder).find((name) => name.endsWith('.tgz')),
);

const strays = run('tar', ['-tzf', tarball])
  .split('\n')
  .filter((path) => /(^|\/)test\/|\.test\.|(?<!\.d)\.ts$/.test(path));
if (strays.length > 0) {
  console.error(`not for users:\n${strays.join('\n')}`);
  process.exit(1);
}

run(bin('publint'), [tarball, '--strict']);
// Below node16 resolution there are no subpaths, and no Node that we support.
run(bin('attw'), [tarball, '--profile', 'node16', '--no-color']);

// Installed by hand: unpacked, with our dependencies linked beside it.
const modules = join(folder, 'app', 'node_modules');
const installed = join(modules, 'millrace');
mkdirSync(installed, { recursive: true });
run('tar', ['-xzf', tarball, '--strip-components=1', '-C', installed]);
for (const name of Object.keys(pkg.dependencies)) {
  mkdirSync(join(modules, name, '..'), { recursive: true });
  symlinkSync(resolve('node_modules', name), join(modules, name));
}

const node24 = resolve('.config', 'node24', 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
const entries = Object.keys(pkg.exports)
  .map((path) => path.replace('.', pkg.name))
  .filter((name) => !name.endsWith('.json'));
for (const node of [process.execPath, node24].filter((path) => existsSync(path))) {
  for (const name of entries) {
    for (const load of [`import(${JSON.stringify(name)})`, `Promise.resolve(require(${JSON.stringify(name)}))`]) {
      const script = `${load}.then((m) => { if (Object.keys(m).length === 0) throw new Error('exports nothing'); })`;
      run(node, ['-e', script], { cwd: join(folder, 'app') });
    }
  }
  run(node, [join(installed, pkg.bin.millrace), '--help'], { cwd: join(folder, 'app') });
}
