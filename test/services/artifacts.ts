import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ServicesError } from './services-error.ts';
import { type ArtifactName, artifactNames, versions } from './settings.ts';
import { checkJava, checkMaven } from './toolchain.ts';

/** Tells people what takes long. */
export type Say = (line: string) => void;

/** Where the jars of every service of this checkout are, whatever folder its data has; `down` keeps them. */
const jarsRoot = resolve('.services', 'jars');

const pomPath = (name: ArtifactName): string => resolve('test', 'services', 'poms', name, 'pom.xml');

/** The folder with all jars of one server, there or not; another pom makes another folder. */
export function jarsFolder(name: ArtifactName): string {
  const hash = createHash('sha256')
    .update(readFileSync(pomPath(name)))
    .digest('hex')
    .slice(0, 8);
  return join(jarsRoot, `${name}-${versions[name]}-${hash}`);
}

/** Throws if servers can't be had on this machine: there is no Java, or jars are missing and there is no Maven to fetch them. */
export function checkObtainable(): void {
  checkJava();
  if (!artifactNames.every((name) => existsSync(jarsFolder(name)))) checkMaven();
}

/**
 * Fetches the jars with Maven if they are missing, through Maven's own repository
 * in the user's home: clones share it, and mirrors and proxies are set there. The folder appears whole or not at all.
 *
 * @throws ServicesError JAVA_MISSING, JAVA_TOO_OLD, MAVEN_MISSING, DOWNLOAD_FAILED
 */
export async function fetchJars(name: ArtifactName, say: Say = () => undefined): Promise<string> {
  checkJava();
  const folder = jarsFolder(name);
  if (existsSync(folder)) return folder;
  const fetching = underWay.get(name) ?? fetchInto(folder, name, say).finally(() => underWay.delete(name));
  underWay.set(name, fetching);
  return fetching;
}

/** One Maven an artifact, however many members of an ensemble ask for it. */
const underWay = new Map<ArtifactName, Promise<string>>();

async function fetchInto(folder: string, name: ArtifactName, say: Say): Promise<string> {
  checkMaven();
  say(`fetching ${name} ${versions[name]} with Maven …`);
  const partial = `${folder}.${process.pid}`;
  mkdirSync(partial, { recursive: true });
  try {
    await runMaven(name, pomPath(name), partial);
    if (!existsSync(folder)) renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return folder;
}

/** `-U`: what Maven failed to find once, it does not look for again for a day. */
async function runMaven(name: ArtifactName, pom: string, jars: string): Promise<void> {
  const maven = spawn('mvn', ['-q', '-B', '-U', '-f', pom, 'dependency:copy-dependencies', `-Djars=${jars}`], {
    cwd: dirname(pom),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: Buffer[] = [];
  for (const stream of [maven.stdout, maven.stderr]) stream.on('data', (chunk: Buffer) => output.push(chunk));
  const code = await new Promise<number | null>((settle) => maven.on('close', settle));
  if (code === 0) return;
  const tail = Buffer.concat(output).toString().trimEnd().split('\n').slice(-15).join('\n');
  throw new ServicesError(
    'DOWNLOAD_FAILED',
    `Maven could not fetch ${name} ${versions[name]}; once its repository can be reached, try again:\n${tail}`,
  );
}
