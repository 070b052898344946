import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { PipelineOptions } from '../functions/graph/logical-graph.ts';
import { DEFAULT_OPTIONS } from '../functions/graph/settings.ts';
import { MillraceError } from '../functions/shared/errors.ts';
import { maskSecret } from '../functions/shared/secrets.ts';

/** A value and where it came from, for `millrace config`. */
export interface ConfigEntry {
  readonly name: string;
  readonly value: ConfigValue;
  readonly source: string;
}

export type ConfigValue = string | number | boolean | undefined;

/** Everything that a run can be told, in the order flag > MILLRACE_* environment > config file > pipeline options > default. */
export interface RunConfig {
  readonly entries: readonly ConfigEntry[];
  readonly namespace: string;
  /** Folder that keeps log, offsets and state; undefined keeps them in memory. */
  readonly data: string | undefined;
  /** Port of the Invoke API on loopback; 0 takes a free one. */
  readonly port: number;
  /** Most execution environments of one stage. */
  readonly concurrency: number | undefined;
  /** Every n-th batch is run twice and compared; 0 = never. */
  readonly determinismEvery: number;
  /** Brokers of a real Kafka to run on; undefined: the embedded log. */
  readonly kafka: string | undefined;
  /** JSON, or the path of a JSON file: how to reach it. */
  readonly kafkaConfig: string | undefined;
  /** Makes users' topics that Kafka does not have. */
  readonly createTopics: boolean;
  /** Ensemble that keeps the state, with a chroot if need be; undefined: the embedded store. */
  readonly zookeeper: string | undefined;
  readonly params: Readonly<Record<string, string>>;
  readonly options: PipelineOptions;
}

interface Setting {
  readonly name: string;
  readonly kind: 'text' | 'number' | 'boolean';
  readonly fallback: ConfigValue;
  /** What stands for the value in the help. */
  readonly value?: string;
  readonly help: string;
  /** Of a number; those of a pipeline option are checked where its pipeline is planned. */
  readonly bounds?: readonly [least: number, most: number];
}

const RUN_SETTINGS: readonly Setting[] = [
  {
    name: 'namespace',
    kind: 'text',
    fallback: 'default',
    value: 'NAME',
    help: 'prefix of topics, groups and state, so that copies of a pipeline can live side by side',
  },
  { name: 'data', kind: 'text', fallback: undefined, value: 'DIR', help: 'folder that keeps log, offsets and state between runs' },
  {
    name: 'port',
    kind: 'number',
    fallback: 0,
    value: 'N',
    help: 'port of the Lambda Invoke API on loopback; 0 takes a free one',
    bounds: [0, 65_535],
  },
  {
    name: 'concurrency',
    kind: 'number',
    fallback: undefined,
    value: 'N',
    help: 'most execution environments (worker threads) of one stage (default: cores / stages, at least 1)',
    bounds: [1, 1000],
  },
  {
    name: 'determinismEvery',
    kind: 'number',
    fallback: 20,
    value: 'N',
    help: 'every n-th batch is run twice and compared; 0 = never',
    bounds: [0, Number.MAX_SAFE_INTEGER],
  },
  { name: 'kafka', kind: 'text', fallback: undefined, value: 'HOST:PORT', help: 'run on a real Kafka instead of the embedded log' },
  {
    name: 'kafkaConfig',
    kind: 'text',
    fallback: undefined,
    value: 'FILE',
    help: 'how to reach it: JSON with ssl, sasl, clientId, timeouts, compression',
  },
  { name: 'createTopics', kind: 'boolean', fallback: false, help: "make the pipeline's users' topics where Kafka does not have them" },
  { name: 'zookeeper', kind: 'text', fallback: undefined, value: 'HOST:PORT', help: 'keep state in a real ZooKeeper (HOST:PORT,…/CHROOT)' },
];

const OPTION_SETTINGS: readonly Setting[] = Object.entries(DEFAULT_OPTIONS).map(([name, fallback]) => ({
  name,
  fallback,
  kind: typeof fallback === 'number' ? 'number' : typeof fallback === 'boolean' ? 'boolean' : 'text',
  help: 'pipeline option',
}));

const SETTINGS = [...RUN_SETTINGS, ...OPTION_SETTINGS];
export const CONFIG_FILE = 'millrace.config.json';

/** Flags of settings, for the argument parser and the help; one without a value is a switch. */
export const CONFIG_FLAGS: readonly { readonly flag: string; readonly value: string; readonly help: string }[] = RUN_SETTINGS.map(
  ({ name, kind, value = 'VALUE', help }) => ({ flag: kebab(name), value: kind === 'boolean' ? '' : value, help }),
);
export const OPTION_FLAGS: readonly string[] = OPTION_SETTINGS.map(({ name }) => kebab(name));

export interface ConfigSources {
  readonly flags: ReadonlyMap<string, string>;
  /** Flags without a value. @default none */
  readonly switches?: ReadonlySet<string>;
  readonly params: ReadonlyMap<string, string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder in which the config file is looked for. */
  readonly cwd: string;
  readonly pipelineOptions: PipelineOptions;
}

/** @throws MILLRACE_FLAG_INVALID by a flag, MILLRACE_CONFIG_INVALID by the environment or the config file. */
export function resolveConfig(sources: ConfigSources): RunConfig {
  const file = readConfigFile(sources);
  const entries = SETTINGS.map((setting) => resolveSetting(setting, sources, file));
  const value = (name: string): ConfigValue => entries.find((entry) => entry.name === name)?.value;
  const overridden = entries.filter(({ name, source }) => name in DEFAULT_OPTIONS && source !== 'default');
  const params = { ...file.params, ...Object.fromEntries(sources.params) };
  const paramEntries = Object.entries(params).map(([name, text]) => ({
    name: `param ${name}`,
    value: text,
    source: sources.params.has(name) ? `flag --param ${name}` : `file ${file.path}`,
  }));
  return {
    entries: [...entries, ...paramEntries],
    namespace: value('namespace') as string,
    data: value('data') as string | undefined,
    port: value('port') as number,
    concurrency: value('concurrency') as number | undefined,
    determinismEvery: value('determinismEvery') as number,
    kafka: value('kafka') as string | undefined,
    kafkaConfig: value('kafkaConfig') as string | undefined,
    createTopics: value('createTopics') as boolean,
    zookeeper: value('zookeeper') as string | undefined,
    params,
    options: Object.fromEntries(overridden.map(({ name, value: option }) => [name, option])),
  };
}

interface ConfigFile {
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly params: Readonly<Record<string, string>>;
}

function readConfigFile({ flags, cwd }: ConfigSources): ConfigFile {
  const given = flags.get('config');
  const path = resolve(cwd, given ?? CONFIG_FILE);
  if (!existsSync(path)) {
    if (given !== undefined) throw invalidConfig(`--config names ${path}, which does not exist; give the path of a JSON file`);
    return { path, values: {}, params: {} };
  }
  const parsed = parseJson(path);
  const { params = {}, ...values } = parsed;
  const known = new Set(SETTINGS.map(({ name }) => name));
  const unknown = Object.keys(values).find((name) => !known.has(name));
  if (unknown !== undefined) throw invalidConfig(`${path} sets '${unknown}'; known are params, ${[...known].join(', ')}`);
  if (typeof params !== 'object' || params === null || Object.values(params).some((param) => typeof param !== 'string'))
    throw invalidConfig(`${path}: "params" must be an object of strings`);
  return { path, values, params: params as Record<string, string> };
}

function parseJson(path: string): Record<string, unknown> {
  const parsed = readJson(path);
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Record<string, unknown>;
  throw invalidConfig(`${path} must hold one JSON object, such as { "port": 9001, "params": { "repeat": "10" } }`);
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const problem = error instanceof SyntaxError ? 'is not JSON' : 'cannot be read';
    throw invalidConfig(`${path} ${problem}: ${(error as Error).message}`, error);
  }
}

/** The names are those of the flags in camel case; the values of environment and flags are text, those of the file JSON. */
function resolveSetting(setting: Setting, { flags, switches, env, pipelineOptions }: ConfigSources, file: ConfigFile): ConfigEntry {
  const { name } = setting;
  const flag = `--${kebab(name)}`;
  const flagText = switches?.has(kebab(name)) === true ? 'true' : flags.get(kebab(name));
  if (flagText !== undefined)
    return { name, value: parseText(setting, flagText, (rest) => invalidFlag(`${flag} ${rest}`)), source: `flag ${flag}` };
  const variable = `MILLRACE_${kebab(name).replaceAll('-', '_').toUpperCase()}`;
  const text = env[variable];
  if (text !== undefined && text !== '')
    return { name, value: parseText(setting, text, (rest) => invalidConfig(`${variable} ${rest}`)), source: `environment ${variable}` };
  const value = file.values[name];
  if (value !== undefined)
    return {
      name,
      value: parseValue(setting, value, (rest) => invalidConfig(`${file.path}: "${name}" ${rest}`)),
      source: `file ${file.path}`,
    };
  const option = (pipelineOptions as Record<string, ConfigValue>)[name];
  if (option !== undefined) return { name, value: option, source: 'pipeline options' };
  return { name, value: setting.fallback, source: 'default' };
}

/** Makes the error of a wrong value; `rest` goes behind the name of where it stands. */
type Refuse = (rest: string) => MillraceError;

function parseText(setting: Setting, text: string, refuse: Refuse): ConfigValue {
  if (setting.kind === 'number') return parseValue(setting, text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text), refuse);
  if (setting.kind === 'boolean') return parseValue(setting, text === 'true' ? true : text === 'false' ? false : text, refuse);
  return text;
}

function parseValue({ kind, bounds }: Setting, value: unknown, refuse: Refuse): ConfigValue {
  const isRight = kind === 'number' ? Number.isSafeInteger(value) : typeof value === (kind === 'boolean' ? 'boolean' : 'string');
  if (isRight && (!bounds || ((value as number) >= bounds[0] && (value as number) <= bounds[1]))) return value as ConfigValue;
  const allowed =
    kind === 'number'
      ? `a whole number${bounds ? ` from ${bounds[0]} to ${bounds[1]}` : ''}`
      : kind === 'boolean'
        ? 'true or false'
        : 'text';
  throw refuse(`is ${JSON.stringify(value)}: give ${allowed}`);
}

function invalidFlag(message: string): MillraceError {
  return new MillraceError('MILLRACE_FLAG_INVALID', message);
}

function invalidConfig(message: string, cause?: unknown): MillraceError {
  return new MillraceError('MILLRACE_CONFIG_INVALID', message, { cause });
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The text of a value for people: masked is what looks like a secret by its name, and the password in a URL. */
export function describeValue({ name, value }: ConfigEntry): string {
  if (value === undefined) return '(none)';
  if (name === 'kafkaConfig' && String(value).trimStart().startsWith('{')) return '(JSON)'; // which may hold a password
  return maskSecret(name, String(value));
}
