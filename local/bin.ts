#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { catchInterrupts, onInterrupt } from './interrupts.ts';

// A run can be stopped well as soon as there is a process; so before the rest is loaded, which takes a while.
const args = process.argv.slice(2);
if (args.find((word) => !word.startsWith('-')) === 'dev') catchInterrupts();
const { runCli } = await import('./cli.ts');

// Stages are bundled with the Millrace whose command runs, from source in a checkout and from dist where it is installed.
const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
const own = (path: string): string => fileURLToPath(new URL(`../functions/${path}${extension}`, import.meta.url));

/** As the shell reports SIGPIPE: whoever reads us, such as `head`, has seen enough. */
const BROKEN_PIPE = 141;
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(BROKEN_PIPE);
    throw error;
  });

// Stacks name the lines of the user's file, not of what it was bundled to.
if (process.argv.includes('--verbose')) process.setSourceMapsEnabled(true);
const code = await runCli(args, {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  isTerminal: process.stdout.isTTY && process.env['CI'] === undefined,
  bundling: { alias: { millrace: own('index'), 'millrace/runtime': own('runtime/index') } },
  onInterrupt,
});
// What is written has to leave first. Then at once: kafkajs forgets brokers whose connections were cut without closing what it keeps of them.
await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((resolve) => stream.write('', resolve))));
process.exit(code);
