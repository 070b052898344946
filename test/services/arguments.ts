import { parseArgs } from 'node:util';
import { parsePortBase } from './place.ts';
import { ServicesError } from './services-error.ts';
import { type ServiceName, serviceNames } from './settings.ts';
import type { ServicesWish } from './shared-services.ts';

export const usage = `npm run services -- up [--kafka4] [--ensemble] [--tls] [--bench] [--port-base N] [--json]
npm run services -- down [NAME …] [--keep-data]
npm run services -- status [--json]
npm run services -- test [JEST ARGUMENT …]

up      starts a Kafka and a ZooKeeper, and waits until they answer; what runs already stays
down    ends what up started, and what tests left behind; the data goes, downloaded jars stay
test    runs jest with the services that its tests need, and ends those that did not run before; npm test does this
status  says what runs; ends with 1 if something that was started has died

--kafka4       a Kafka 4 as well
--ensemble     three ZooKeeper servers as well
--tls          Kafka also listens with TLS, mutual TLS and SASL over TLS
--bench        ZooKeeper writes to disk before it answers, Java compiles fully
--port-base N  first of 30 ports (MILLRACE_SERVICES_PORT_BASE; 24000)
--keep-data    the next up finds topics and nodes as they are
--json         prints JSON
NAME is ${serviceNames.join(', ')}.
`;

/** What was asked for, checked. */
export interface ServicesCommand {
  readonly action: 'up' | 'down' | 'status';
  readonly wish: ServicesWish;
  /** Of `down`. */
  readonly names: readonly ServiceName[];
  readonly keepsData: boolean;
  readonly isJson: boolean;
  readonly portBase?: number;
}

const actions = ['up', 'down', 'status'] as const;

/** @throws ServicesError USAGE */
export function parseCommand(args: readonly string[]): ServicesCommand {
  const { values, positionals } = parse(args);
  const [first, ...rest] = positionals;
  const action = actions.find((known) => known === first);
  if (action === undefined)
    throw new ServicesError('USAGE', `${first === undefined ? 'there is no command' : `'${first}' is no command`}\n\n${usage}`);
  if (action !== 'down' && rest.length > 0)
    throw new ServicesError('USAGE', `${action} takes no names, but was given ${rest.join(' ')}\n\n${usage}`);
  return {
    action,
    wish: {
      names: ['kafka', ...(values.kafka4 ? ['kafka4' as const] : []), 'zookeeper', ...(values.ensemble ? ['ensemble' as const] : [])],
      hasTls: values.tls,
      isForBench: values.bench,
    },
    names: rest.length > 0 ? rest.map(parseName) : serviceNames,
    keepsData: values['keep-data'],
    isJson: values.json,
    ...(values['port-base'] !== undefined && { portBase: parsePortBase(values['port-base']) }),
  };
}

const flag = { type: 'boolean', default: false } as const;
const options = {
  kafka4: flag,
  ensemble: flag,
  tls: flag,
  bench: flag,
  'keep-data': flag,
  json: flag,
  'port-base': { type: 'string' },
} as const;

function parse(args: readonly string[]): ReturnType<typeof parseArgs<{ args: string[]; options: typeof options; allowPositionals: true }>> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new ServicesError('USAGE', `${(error as Error).message}\n\n${usage}`);
  }
}

function parseName(text: string): ServiceName {
  const name = serviceNames.find((known) => known === text);
  if (name === undefined) throw new ServicesError('USAGE', `there is no service '${text}'; there are ${serviceNames.join(', ')}`);
  return name;
}
