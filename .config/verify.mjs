/** `npm run verify`: every check that a change must pass, two at a time, ending at the first failure. `--no-test` leaves the tests out, and chaos. */
import { spawn } from 'node:child_process';

const node = (...args) => [process.execPath, ...args];
const bin = (path, ...args) => node(`node_modules/${path}`, ...args);

/** A step starts when those it comes after have passed. */
const steps = [
  { name: 'format', command: bin('prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.') },
  { name: 'types', command: bin('typescript/bin/tsc') },
  { name: 'types on 7', command: bin('typescript7/bin/tsc') },
  { name: 'lint', command: bin('eslint/bin/eslint.js', '--config', '.config/eslint.config.mjs', '--max-warnings', '0', '.') },
  { name: 'build', command: node('.config/build.mjs') },
  { name: 'API report', command: node('.config/api-report.mjs'), after: 'build' },
  { name: 'unused code', command: bin('knip/bin/knip.js'), after: 'build' },
  { name: 'package', command: node('.config/pack-check.mjs'), after: 'build' },
];
const tests = [
  { name: 'test', command: node('local/bootstrap.mjs', 'test') },
  { name: 'chaos', command: node('local/bootstrap.mjs', 'test:chaos', '--seeds', '3', '--records', '10000') },
];

const passed = new Set();
const running = new Set();

/** Runs one step and prints its name and seconds; its output only if it failed, or as it comes if `live`. */
async function run({ name, command: [program, ...args] }, live = false) {
  const begun = performance.now();
  const child = spawn(program, args, { stdio: live ? 'inherit' : ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  const output = [];
  child.stdout?.on('data', (chunk) => output.push(chunk));
  child.stderr?.on('data', (chunk) => output.push(chunk));
  const code = await new Promise((resolve) => child.on('close', resolve));
  running.delete(child);
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  if (code !== 0) stop(`${Buffer.concat(output)}\nFAILED ${name} (${seconds} s)`);
  console.log(`ok ${name} (${seconds} s)`);
  passed.add(name);
}

function stop(message) {
  console.log(message);
  for (const child of running) child.kill();
  process.exit(1);
}

async function runTwoAtATime() {
  const waiting = [...steps];
  const busy = new Set();
  while (waiting.length + busy.size > 0) {
    const next = waiting.findIndex(({ after }) => !after || passed.has(after));
    if (busy.size === 2 || next === -1) {
      await Promise.race(busy);
      continue;
    }
    const [step] = waiting.splice(next, 1);
    const done = run(step).finally(() => busy.delete(done));
    busy.add(done);
  }
}

const begun = performance.now();
await runTwoAtATime();
if (!process.argv.includes('--no-test')) for (const step of tests) await run(step, true);
console.log(`verified in ${((performance.now() - begun) / 1000).toFixed(0)} s`);
