import { resolve } from 'node:path';
import { javaProgram } from './java.ts';

export const queries = ['q0', 'q2', 'q12', 'q12b'] as const;

/** Program and arguments. What it is told by its environment: README.md. */
export type Command = readonly [string, ...string[]];

export interface System {
  readonly label: string;
  readonly queries: readonly string[];
  /** @param isForLatency - Else for throughput. */
  readonly command: (isForLatency: boolean) => Command;
  readonly measuresLatency: boolean;
}

const streams = (...args: string[]): Command => javaProgram('kafka', ['peers.StreamsPeer', ...args], ['-Xmx2g']);
const flink = (...args: string[]): Command => javaProgram('flink', ['peers.FlinkPeer', ...args], ['-Xmx2g']);
const loop = (mode: string): Command => [process.execPath, '--import', 'tsx', resolve('test/bench/peers/kafkajs.ts'), mode];

/** As a user runs it: the compiled command. Determinism checks, which run some batches twice, are for development. */
const millrace = (isForLatency: boolean): Command => {
  const services = '--kafka "$PEERS_BROKER" --zookeeper "$PEERS_ZOOKEEPER" --namespace "$PEERS_RUN"';
  const params = '--input "$PEERS_IN" --output "$PEERS_OUT" --query "$PEERS_QUERY"';
  const [program, file] = [resolve('dist/esm/local/bin.js'), resolve('test/bench/peers/pipeline.ts')];
  // An environment a partition: at a low rate batches mostly wait for brokers.
  const more = isForLatency ? '--concurrency 4' : '';
  return ['sh', '-c', `exec "${process.execPath}" "${program}" dev "${file}" ${services} ${params} --determinism-every 0 ${more}`];
};

/** All of them deliver exactly once but for the loop in its plain form, which is what many would write first. */
export const systems: readonly System[] = [
  { label: 'millrace', queries, command: millrace, measuresLatency: true },
  { label: 'flink', queries, command: () => flink('EXACTLY_ONCE'), measuresLatency: true },
  { label: 'streams', queries, command: () => streams('exactly_once_v2'), measuresLatency: true },
  {
    label: 'streams-tuned',
    queries: ['q0'],
    command: () => ['env', 'PEERS_TUNED=1', ...streams('exactly_once_v2', '1000')],
    measuresLatency: false,
  },
  { label: 'flink-tuned', queries: ['q0'], command: () => ['env', 'PEERS_TUNED=1', ...flink('EXACTLY_ONCE')], measuresLatency: false },
  { label: 'loop', queries: ['q0', 'q2', 'q12'], command: () => loop('idempotent'), measuresLatency: true },
  { label: 'loop-transactions', queries: ['q0', 'q2', 'q12'], command: () => loop('transactional'), measuresLatency: true },
];
