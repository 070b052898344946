import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { jarsFolder } from '../services/artifacts.ts';
import { javaCommand } from '../services/toolchain.ts';

/** Runs a command-line tool of Kafka 3.9 with `input`; gives its output. @throws what it wrote, if it fails. */
export async function runKafkaTool(mainClass: string, args: readonly string[], input = ''): Promise<string> {
  const java = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', join(jarsFolder('kafka'), '*'), mainClass, ...args];
  const child = spawn(javaCommand(), java, { stdio: ['pipe', 'pipe', 'pipe'] });
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      written[name] += text;
    });
  }
  child.stdin.end(input);
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code === 0) return written.stdout;
  throw new Error(`${mainClass} ended with ${String(code)}: ${written.stdout}${written.stderr}`);
}
