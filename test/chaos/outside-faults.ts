import { setTimeout as delay } from 'node:timers/promises';
import { type Cluster, SESSION_MS } from './cluster.ts';
import { draw } from './draw.ts';
import type { Fault, FaultLog } from './fault-log.ts';
import type { HarnessProcess } from './harness-process.ts';

/** What faults from outside act on. */
export interface Target {
  readonly cluster: Cluster;
  readonly harness: HarnessProcess;
  readonly log: FaultLog;
}

type OutsideFault = (target: Target) => Promise<void>;

/** Each resolves when what it broke is whole again. */
const OUTSIDE: Readonly<Partial<Record<Fault, OutsideFault>>> = {
  'harness killed': async ({ harness }) => {
    await harness.kill();
    harness.start();
  },
  'Kafka killed': async ({ cluster: { kafka } }) => {
    await kafka.kill();
    await kafka.start();
  },
  'Kafka connections cut': ({ cluster: { kafkaProxy } }) => {
    kafkaProxy.cut();
    return Promise.resolve();
  },
  'ZooKeeper leader killed': async ({ cluster: { ensemble } }) => {
    const leader = await ensemble.leader();
    await leader.kill();
    await ensemble.leader();
    await leader.start();
  },
  'ZooKeeper connections cut': ({ cluster: { zookeeperProxies } }) => {
    for (const proxy of zookeeperProxies) proxy.cut();
    return Promise.resolve();
  },
};

/** A session that nothing is heard of for so long has ended: the leader looks at them tick by tick. */
const SILENCE_MS = 1.5 * SESSION_MS;
const EXPIRY_TRIES = 5;
/** Until a client has told of it. */
const EXPIRY_WAIT_MS = 10_000;

/** Nothing gets through to the ensemble for longer than a session lives; counted by the clients, when they are told. */
async function expireSessions({ cluster: { zookeeperProxies }, harness, log }: Target): Promise<void> {
  harness.calm(true);
  const expired = (): number => log.counts().get('ZooKeeper session expired') ?? 0;
  const before = expired();
  for (let tries = 0; tries < EXPIRY_TRIES && expired() === before; tries++) {
    for (const proxy of zookeeperProxies) proxy.requests = proxy.answers = 'drop';
    await delay(SILENCE_MS);
    for (const proxy of zookeeperProxies) {
      proxy.cut();
      proxy.release();
    }
    for (let waited = 0; waited < EXPIRY_WAIT_MS && expired() === before; waited += 100) await delay(100);
  }
  harness.calm(false);
}

/** How often each comes in a round. */
const A_ROUND: readonly Fault[] = [
  'Kafka connections cut',
  'Kafka connections cut',
  'ZooKeeper connections cut',
  'ZooKeeper connections cut',
  'Kafka killed',
  'ZooKeeper leader killed',
  'ZooKeeper session expired',
];

/** The faults of a run in an order that the seed decides, with the harness killed in the middle. */
export function planFaults(seed: number, rounds: number): readonly Fault[] {
  const all = Array.from({ length: rounds }, (_, round) =>
    A_ROUND.map((fault, i) => ({ fault, rank: round + draw(seed, 'order', round, i) })),
  );
  const faults = all
    .flat()
    .sort((a, b) => a.rank - b.rank)
    .map(({ fault }) => fault);
  return faults.toSpliced(Math.floor(faults.length / 2), 0, 'harness killed');
}

export async function inflict(fault: Fault, id: string, target: Target): Promise<void> {
  if (fault === 'ZooKeeper session expired') return expireSessions(target);
  const act = OUTSIDE[fault];
  if (!act) throw new Error(`'${fault}' does not come from outside`);
  target.log.note(fault, id);
  await act(target);
}
