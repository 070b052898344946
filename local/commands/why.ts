import type { Arguments } from '../args.ts';
import type { CliIo } from '../cli.ts';
import { openCommand, parseCount } from '../inspect/action.ts';
import { describeHop } from '../inspect/describe-lineage.ts';
import { traceLineage } from '../inspect/lineage.ts';
import { openLogToRead } from '../inspect/log-reader.ts';

/**
 * `millrace why`: from a sink's message back to the message of a source that caused it. Each hop is printed as it is found, so a walk that
 * ends early, where retention has been, shows how far it got. Reads only; the run may be at work.
 */
export async function runWhy(args: Arguments, io: CliIo): Promise<number> {
  const { project, words } = await openCommand(['TOPIC', 'PARTITION', 'OFFSET'], args, io);
  const [topic = '', partition = '', offset = ''] = words;
  const start = { topic, partition: parseCount('PARTITION', partition), offset: parseCount('OFFSET', offset) };
  const isJson = args.switches.has('json');
  for await (const hop of traceLineage(project.plan, openLogToRead(project, io.cwd), start))
    io.stdout.write(isJson ? `${JSON.stringify(hop)}\n` : describeHop(hop));
  return 0;
}
