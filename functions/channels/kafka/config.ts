import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { MillraceError } from '../../shared/errors.ts';

/** How to reach a Kafka cluster: for functions, the command line and deployment alike. */
export interface KafkaConfig {
  /** `host:port` of some brokers; the others are learnt from them. */
  readonly brokers: readonly string[];
  /** Name that brokers log and hold quotas by. @default 'millrace' */
  readonly clientId: string;
  /** Undefined: no TLS. `{}`: TLS by the CAs that Node.js trusts. */
  readonly ssl: KafkaTls | undefined;
  readonly sasl: KafkaSasl | undefined;
  /** Longest wait for a connection, TLS included, in ms. @default 5000 */
  readonly connectionTimeoutMs: number;
  /** Longest wait for one answer, in ms. @default 10000 */
  readonly requestTimeoutMs: number;
  /** Of everything that is appended, unless a sink says otherwise: what every bundle can do. @default 'none' */
  readonly compression: 'none' | 'gzip';
}

/** PEM texts. `cert` and `key` are the client's own, for mutual TLS. */
export interface KafkaTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export type KafkaSasl =
  | { readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; readonly username: string; readonly password: string }
  /** Amazon MSK by IAM: the function's role, or whatever credentials AWS's clients find. */
  | { readonly mechanism: 'aws-msk-iam'; readonly region: string };

const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512', 'aws-msk-iam'] as const;
const REGION = /^[a-z]{2}(-[a-z]+)+-\d$/;
const COMPRESSIONS = ['none', 'gzip'] as const;
const FIELDS = ['brokers', 'clientId', 'ssl', 'sasl', 'connectionTimeoutMs', 'requestTimeoutMs', 'compression'];
const BROKER = /^(\[[0-9a-fA-F:]+\]|[^\s:,/@]+):(\d{1,5})$/;

/**
 * From `MILLRACE_KAFKA` (brokers, `host:port`, with commas between them) and `MILLRACE_KAFKA_CONFIG` (all the rest: JSON, or the path of a
 * JSON file). In a file, `ca`, `cert` and `key` may be paths relative to it; anywhere they may be PEM texts.
 *
 * @throws MILLRACE_CONFIG_INVALID, never with a value that may be secret.
 */
export function parseKafkaConfig(env: Readonly<Record<string, string | undefined>>): KafkaConfig {
  const { fields, folder } = readFields(env['MILLRACE_KAFKA_CONFIG']);
  const unknown = Object.keys(fields).find((name) => !FIELDS.includes(name));
  if (unknown !== undefined) throw invalid(`it sets '${unknown}'; known are ${FIELDS.join(', ')}`);
  return Object.freeze({
    brokers: parseBrokers(env['MILLRACE_KAFKA'], fields['brokers']),
    clientId: text(fields, 'clientId') ?? 'millrace',
    ssl: parseTls(fields['ssl'], folder),
    sasl: parseSasl(fields['sasl']),
    connectionTimeoutMs: parseMs(fields, 'connectionTimeoutMs', 5000),
    requestTimeoutMs: parseMs(fields, 'requestTimeoutMs', 10_000),
    compression: oneOf('compression', fields['compression'] ?? 'none', COMPRESSIONS),
  });
}

type Fields = Readonly<Record<string, unknown>>;

function readFields(source: string | undefined): { fields: Fields; folder: string } {
  if (source === undefined || source.trim() === '') return { fields: {}, folder: '.' };
  if (source.trimStart().startsWith('{')) return { fields: parseObject(source, 'the text'), folder: '.' };
  return { fields: parseObject(readText(source), `file ${source}`), folder: dirname(source) };
}

/** The parser's own message would quote what it read, which may be a password. */
function parseObject(json: string, what: string): Fields {
  try {
    return asObject(JSON.parse(json), what);
  } catch (error) {
    if (error instanceof MillraceError) throw error;
    throw invalid(`${what} is no JSON`);
  }
}

function asObject(value: unknown, what: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw invalid(`${what} must be an object`);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw invalid(`file ${path} cannot be read (${String((error as NodeJS.ErrnoException).code)})`);
  }
}

function parseBrokers(given: string | undefined, inFile: unknown): readonly string[] {
  const list = given === undefined || given.trim() === '' ? (Array.isArray(inFile) ? inFile.map(String) : []) : given.split(',');
  const brokers = list.map((broker) => broker.trim()).filter((broker) => broker !== '');
  const wrong = brokers.find((broker) => Number(BROKER.exec(broker)?.[2] ?? 0) < 1 || Number(BROKER.exec(broker)?.[2]) > 65_535);
  if (wrong === undefined && brokers.length > 0) return Object.freeze(brokers);
  const what = wrong === undefined ? 'no broker is given' : `a broker is '${wrong.replace(/^.*@/, '…@')}'`;
  throw new MillraceError('MILLRACE_CONFIG_INVALID', `${what}; MILLRACE_KAFKA takes HOST:PORT, several with commas between them`);
}

function parseTls(value: unknown, folder: string): KafkaTls | undefined {
  if (value === undefined || value === false) return undefined;
  if (value === true) return Object.freeze({});
  const fields = asObject(value, 'ssl');
  const unknown = Object.keys(fields).find((name) => !['ca', 'cert', 'key'].includes(name));
  if (unknown !== undefined) throw invalid(`ssl sets '${unknown}'; known are ca, cert and key`);
  const names = ['ca', 'cert', 'key'] as const;
  const tls = Object.fromEntries(names.filter((name) => fields[name] !== undefined).map((name) => [name, parsePem(fields, name, folder)]));
  if ('cert' in tls !== 'key' in tls) throw invalid('ssl needs both cert and key, or neither');
  return Object.freeze(tls);
}

function parsePem(fields: Fields, name: string, folder: string): string {
  const given = text(fields, name) ?? '';
  return given.includes('-----BEGIN') ? given : readText(resolve(folder, given));
}

function parseSasl(value: unknown): KafkaSasl | undefined {
  if (value === undefined) return undefined;
  const fields = asObject(value, 'sasl');
  const mechanism = oneOf('sasl.mechanism', fields['mechanism'], MECHANISMS);
  const names = mechanism === 'aws-msk-iam' ? ['mechanism', 'region'] : ['mechanism', 'username', 'password'];
  const unknown = Object.keys(fields).find((name) => !names.includes(name));
  if (unknown !== undefined) throw invalid(`sasl sets '${unknown}'; known with ${mechanism} are ${names.join(', ')}`);
  if (mechanism === 'aws-msk-iam') return Object.freeze({ mechanism, region: parseRegion(fields) });
  const [username, password] = [text(fields, 'username'), text(fields, 'password')];
  if (username === undefined || password === undefined) throw invalid('sasl needs mechanism, username and password');
  return Object.freeze({ mechanism, username, password });
}

function parseRegion(fields: Fields): string {
  const region = text(fields, 'region');
  if (region !== undefined && REGION.test(region)) return region;
  throw invalid("sasl with aws-msk-iam needs the region of the cluster, for example 'eu-west-1'");
}

function oneOf<T extends string>(name: string, value: unknown, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  if (found !== undefined) return found;
  throw invalid(`${name} is ${value === undefined ? 'missing' : JSON.stringify(value)}; one of ${allowed.join(', ')} is allowed`);
}

function text(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  throw invalid(`${name} must be a text that is not empty`);
}

function parseMs(fields: Fields, name: string, fallback: number): number {
  const value = fields[name] ?? fallback;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 100 && value <= 600_000) return value;
  throw invalid(`${name} must be a whole number of ms, 100 to 600000`);
}

function invalid(message: string): MillraceError {
  return new MillraceError('MILLRACE_CONFIG_INVALID', `MILLRACE_KAFKA_CONFIG: ${message}`);
}
