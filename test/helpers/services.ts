import { describe, test } from '@jest/globals';
import { checkObtainable } from '../services/artifacts.ts';
import { servicesPlace } from '../services/place.ts';
import { ServicesError } from '../services/services-error.ts';
import type { ServiceName } from '../services/settings.ts';
import { type KafkaSecurity, readServices } from '../services/shared-services.ts';

/** Where a shared service can be reached. */
export interface TestService {
  /** `127.0.0.1:24000`; several with commas between for `ensemble`. */
  readonly address: string;
  /** Of Kafka, if it was started with `--tls`. */
  readonly security?: KafkaSecurity;
}

/**
 * A shared service that runs: what `MILLRACE_TEST_KAFKA`, `MILLRACE_TEST_KAFKA4`, `MILLRACE_TEST_ZOOKEEPER` or `MILLRACE_TEST_ENSEMBLE` name, or else what
 * `npm run services -- up` or `npm test` started in this checkout. Tests share it: use names of your own, and kill nothing.
 */
export function testService(name: ServiceName): TestService | undefined {
  const given = process.env[`MILLRACE_TEST_${name.toUpperCase()}`];
  const running = readServices(servicesPlace())[name];
  return given === undefined || given === running?.address ? running : { address: given };
}

/** A suite that needs shared services. Skipped with a reason where one is missing; on CI that is a failure. */
export function describeWithServices<N extends ServiceName>(
  names: readonly N[],
  title: string,
  suite: (services: Readonly<Record<N, TestService>>) => void,
): void {
  const found = names.map((name) => [name, testService(name)] as const);
  const missing = found.filter(([, service]) => service === undefined).map(([name]) => name);
  const reason = missing.length > 0 ? `${missing.join(' and ')} not running: ${startCommand(missing)}` : undefined;
  describeUnless(reason, title, () => suite(Object.fromEntries(found) as Record<N, TestService>));
}

/** A suite that needs Kafka with TLS, mutual TLS and SASL. */
export function describeWithSecureKafka(title: string, suite: (address: string, security: KafkaSecurity) => void): void {
  const { address, security } = testService('kafka') ?? {};
  if (address !== undefined && security) describe(title, () => suite(address, security));
  else describeUnless('no Kafka with TLS is running: npm run services -- up --tls', title, () => undefined);
}

/** A suite that starts servers of its own with test/services/instances.ts, to kill them. */
export function describeWithOwnServers(title: string, suite: () => void): void {
  describeUnless(whyNoServers(), title, suite);
}

function describeUnless(reason: string | undefined, title: string, suite: () => void): void {
  if (reason === undefined) {
    describe(title, suite);
    return;
  }
  describe(title, () => {
    if (process.env['CI'] === 'true') {
      test('has the services that it needs', () => {
        throw new Error(`${reason} (on CI these tests are not skipped)`);
      });
      return;
    }
    process.stderr.write(`skipped: ${title}: ${reason}\n`);
    test.skip(`skipped: ${reason}`, () => undefined);
  });
}

function startCommand(missing: readonly ServiceName[]): string {
  const flags = (['kafka4', 'ensemble'] as const).filter((name) => missing.includes(name)).map((name) => ` --${name}`);
  return `npm run services -- up${flags.join('')}`;
}

function whyNoServers(): string | undefined {
  try {
    checkObtainable();
    return undefined;
  } catch (error) {
    if (error instanceof ServicesError) return error.message;
    throw error;
  }
}
