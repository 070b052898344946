import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { ServicesError } from './services-error.ts';
import { minJavaVersion } from './settings.ts';

const remedy = `install them (Debian, Ubuntu: apt-get install default-jdk-headless maven)`;

/** Programs that the services need; JAVA_HOME is followed, as Maven does. */
export function javaCommand(env: NodeJS.ProcessEnv = process.env): string {
  const home = env['JAVA_HOME'];
  return home === undefined || home === '' ? 'java' : `${home}/bin/java`;
}

/** The version of Java, for example `17.0.15`; throws if it is missing or older than the servers need. */
export function checkJava(env: NodeJS.ProcessEnv = process.env): string {
  const command = javaCommand(env);
  const { error, stderr } = run(command, ['-version'], env);
  if (error) throw new ServicesError('JAVA_MISSING', `\`${command}\` does not run, and Kafka and ZooKeeper need Java and Maven: ${remedy}`);
  // 1.8.0_402 up to Java 8, 17.0.15 since.
  const version = /version "([\w.+-]+)"/.exec(stderr)?.[1] ?? 'unknown';
  if (!(Number.parseInt(version.replace(/^1\./, '')) >= minJavaVersion))
    throw new ServicesError(
      'JAVA_TOO_OLD',
      `\`${command}\` is Java ${version}; the services need ${minJavaVersion} or newer: ${remedy}, or set JAVA_HOME`,
    );
  return version;
}

/** Throws if Maven is missing; needed only while the jars are. */
export function checkMaven(env: NodeJS.ProcessEnv = process.env): void {
  if (run('mvn', ['--version'], env).error)
    throw new ServicesError('MAVEN_MISSING', `\`mvn\` does not run, and it fetches Kafka and ZooKeeper: ${remedy}`);
}

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): SpawnSyncReturns<string> {
  return spawnSync(command, args, { encoding: 'utf8', env });
}
