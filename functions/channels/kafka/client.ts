import { Kafka, type KafkaConfig as ClientOptions, logLevel, type RetryOptions } from 'kafkajs';
import { MillraceError } from '../../shared/errors.ts';
import type { KafkaConfig, KafkaSasl } from './config.ts';

/** A request is tried this often again, within a few seconds: what lasts longer is the caller's to repeat. */
const RETRY: RetryOptions = { retries: 3, initialRetryTime: 100, maxRetryTime: 1000, multiplier: 2, factor: 0.2 };

/** kafkajs as Millrace uses it: silent, since what matters comes back as an error, and with retries that end. `retries`: other than usual. */
export function createKafkaClient(config: KafkaConfig, retries?: number): Kafka {
  const { brokers, clientId, ssl, sasl, connectionTimeoutMs, requestTimeoutMs } = config;
  return new Kafka({
    brokers: [...brokers],
    clientId,
    connectionTimeout: connectionTimeoutMs,
    authenticationTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    logLevel: logLevel.NOTHING,
    retry: retries === undefined ? RETRY : { ...RETRY, retries },
    ...(ssl !== undefined && { ssl: { ...ssl } }),
    ...(sasl !== undefined && { sasl: toSasl(sasl) }),
  });
}

/** Spelled out, as the client's type ties each mechanism to its own fields. */
function toSasl(sasl: KafkaSasl): NonNullable<ClientOptions['sasl']> {
  switch (sasl.mechanism) {
    case 'plain':
      return { ...sasl, mechanism: 'plain' };
    case 'scram-sha-256':
      return { ...sasl, mechanism: 'scram-sha-256' };
    case 'scram-sha-512':
      return { ...sasl, mechanism: 'scram-sha-512' };
    case 'aws-msk-iam':
      return { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: await iamToken(sasl.region) }) };
  }
}

/** The signer brings AWS's clients: it is in a bundle only if that is asked for, and asked for only here. */
async function iamToken(region: string): Promise<string> {
  const { signIamToken } = await import('./iam-token.ts').catch((cause: unknown) => {
    const message =
      'sasl.mechanism \'aws-msk-iam\' needs the package aws-msk-iam-sasl-signer-js: run "npm install aws-msk-iam-sasl-signer-js" beside Millrace, and ' +
      'bundle the stages with it (kafkaIam)';
    throw new MillraceError('MILLRACE_CONFIG_INVALID', message, { cause });
  });
  return signIamToken(region);
}
