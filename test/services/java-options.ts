import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkJava, javaCommand } from './toolchain.ts';

/** How a server's Java is set up. */
export interface JavaTuning {
  /** `quick` compiles little and starts soon, for tests; `full` is what benchmarks measure. */
  readonly compiler: 'quick' | 'full';
  readonly heapMb: number;
}

/**
 * The program and arguments up to the main class.
 *
 * @param jars - The folder whose jars are the class path.
 * @param folder - Of the server. The first to end in peace leaves its classes there, as the virtual machine wants them in memory (AppCDS): `keepClasses`
 * moves them to the jars, and starts take a third of the time.
 */
export function javaWith(
  jars: string,
  folder: string,
  { compiler, heapMb }: JavaTuning,
  properties: Readonly<Record<string, string>> = {},
): [string, ...string[]] {
  const kept = archiveOf(jars);
  return [
    javaCommand(),
    `-Xmx${heapMb}m`,
    '-XX:+UseSerialGC',
    '-XX:-UsePerfData',
    ...(compiler === 'quick' ? ['-XX:TieredStopAtLevel=1'] : []),
    existsSync(kept) ? `-XX:SharedArchiveFile=${kept}` : `-XX:ArchiveClassesAtExit=${archiveOf(folder)}`,
    // Warnings about classes that can't be archived, and on an archive that does not fit: Java goes on without.
    '-Xshare:auto',
    '-Xlog:cds=off',
    '-Xlog:cds+dynamic=off',
    '-Djava.awt.headless=true',
    '-Djava.net.preferIPv4Stack=true',
    ...Object.entries(properties).map(([name, value]) => `-D${name}=${value}`),
    '-cp',
    join(jars, '*'),
  ];
}

/** Keeps the classes that a server left in `folder`, if it is the first. A copy, since the folders may be on two disks; renamed when whole. */
export function keepClasses(folder: string, jars: string): void {
  const left = archiveOf(folder);
  if (!existsSync(left)) return;
  const kept = archiveOf(jars);
  if (!existsSync(kept)) {
    copyFileSync(left, `${kept}.${process.pid}`);
    renameSync(`${kept}.${process.pid}`, kept);
  }
  rmSync(left);
}

/** Another Java needs another archive. */
function archiveOf(folder: string): string {
  return join(folder, `classes-${checkJava()}.jsa`);
}
