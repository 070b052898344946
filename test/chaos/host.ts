/** `millrace dev`, as local/bin.ts runs it, but for the runtime in its bundles, and for someone who kills its environments. */
import { fileURLToPath } from 'node:url';
import { runCli } from '../../local/cli.ts';
import { killEnvironments } from './environment-killer.ts';
import { FaultLog } from './fault-log.ts';

const pathOf = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const [seed = '', faults = '', ...args] = process.argv.slice(2);

killEnvironments(Number(seed), new FaultLog(faults));
let interrupts = 0;
const code = await runCli(['dev', pathOf('pipeline.ts'), '--seed', seed, '--faults', faults, ...args], {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  isTerminal: false,
  bundling: { alias: { millrace: pathOf('../../functions/index.ts'), 'millrace/runtime': pathOf('faulty-runtime.ts') } },
  onInterrupt: (first, second) => process.on('SIGINT', () => (interrupts++ === 0 ? first() : second())),
});
// As local/bin.ts does.
await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((resolve) => stream.write('', resolve))));
process.exit(code);
