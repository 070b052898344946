/** `npm run services`: starts, stops and lists the services that tests run on. What it prints on stdout is for programs if `--json` is given. */
import { parseCommand, type ServicesCommand } from './arguments.ts';
import { exclusively } from './exclusive.ts';
import { removeAbandoned } from './abandoned.ts';
import { runJest } from './jest-run.ts';
import { servicesPlace, type ServicesPlace } from './place.ts';
import { ServicesError } from './services-error.ts';
import { serviceNames } from './settings.ts';
import { lostServices, readServices, startServices, stopServices } from './shared-services.ts';

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(args: readonly string[]): Promise<number> {
  // What follows is jest's.
  if (args[0] === 'test') return runJest(servicesPlace(), args.slice(1), say);
  const command = parseCommand(args);
  const place = { ...servicesPlace(), ...(command.portBase !== undefined && { portBase: command.portBase }) };
  switch (command.action) {
    case 'up':
      return up(place, command);
    case 'down':
      return down(place, command);
    case 'status':
      return status(place, command);
  }
}

async function up(place: ServicesPlace, { wish, isJson }: ServicesCommand): Promise<number> {
  const started = await exclusively(place.folder, say, () => startServices(place, wish, say));
  if (started.length > 0) say(`started ${started.join(', ')}`);
  print(place, isJson);
  return 0;
}

async function down(place: ServicesPlace, { names, keepsData }: ServicesCommand): Promise<number> {
  const stopped = await exclusively(place.folder, say, async () => [
    ...(await stopServices(place, names, { keepsData })),
    ...(await removeAbandoned(place)),
  ]);
  say(stopped.length > 0 ? `stopped ${stopped.join(', ')}` : 'nothing ran');
  return 0;
}

function status(place: ServicesPlace, { isJson }: ServicesCommand): number {
  print(place, isJson);
  const lost = lostServices(place);
  for (const name of lost)
    say(`${name} was started and has died; \`npm run services -- up\` starts it again, its log is in ${place.folder}`);
  return lost.length > 0 ? 1 : 0;
}

function print(place: ServicesPlace, isJson: boolean): void {
  const services = readServices(place);
  if (isJson) {
    process.stdout.write(`${JSON.stringify(services)}\n`);
    return;
  }
  const lines = serviceNames.flatMap((name) => {
    const service = services[name];
    if (!service) return [];
    const { title, address, pids, security } = service;
    const guarded = security ? `; TLS ${security.tls}, mutual TLS ${security.mutualTls}, SASL ${security.sasl}` : '';
    return `${name.padEnd(9)}  ${address}${guarded}  (${title}, process ${pids.join(', ')})\n`;
  });
  process.stdout.write(lines.length > 0 ? lines.join('') : 'no services run\n');
}

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    if (!(error instanceof ServicesError)) throw error;
    say(error.message);
    process.exitCode = error.code === 'USAGE' ? 2 : 1;
  },
);
