import { Kafka, type KafkaConfig as ClientOptions, logLevel, type RetryOptions } from 'kafkajs';
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
function toSasl({ mechanism, username, password }: KafkaSasl): NonNullable<ClientOptions['sasl']> {
  switch (mechanism) {
    case 'plain':
      return { mechanism, username, password };
    case 'scram-sha-256':
      return { mechanism, username, password };
    case 'scram-sha-512':
      return { mechanism, username, password };
  }
}
