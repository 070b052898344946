import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Kafka's numbers of requests that tests do something to. */
export const API = { produce: 0, metadata: 3, addPartitionsToTxn: 24, endTxn: 26, txnOffsetCommit: 28 } as const;

/**
 * What becomes of a request: passed on; lost with its connection; passed on, but its connection ends instead of the answer; or kept
 * back, so that it comes late, even when its client is gone.
 */
type RequestFate = 'pass' | 'lose' | 'lose-answer' | 'hold';

/** Between clients and one broker, which clients take to be at the proxy's address: it stands in the broker's answers. */
export interface KafkaProxy {
  readonly address: string;
  /** Numbers of the requests that have come, in order. */
  readonly requests: readonly number[];
  /** What each produce request asks of the replicas. */
  readonly produceAcks: readonly number[];
  /** Decides on each request. */
  fateOf: (apiKey: number) => RequestFate;
  /** Ends all connections of clients. */
  cut(): void;
  /** From now on nothing comes through on the connections that there are, and they do not end. */
  stall(): void;
  /** Sends what was held; resolves when the broker has answered all of it. */
  release(): Promise<void>;
  close(): Promise<void>;
}

interface Link {
  readonly client: Socket;
  readonly broker: Socket;
  isStalled: boolean;
  /** Answers that are taken for the connection's end, by the number of the request. */
  readonly lost: Set<number>;
  readonly late: Map<number, () => void>;
}

export async function openKafkaProxy(target: string): Promise<KafkaProxy> {
  const [host = '', port = ''] = target.split(':');
  const links = new Set<Link>();
  let held: { readonly link: Link; readonly frame: Buffer }[] = [];
  const requests: number[] = [];
  const produceAcks: number[] = [];

  const onRequest = (link: Link, frame: Buffer): void => {
    const apiKey = frame.readInt16BE(4);
    requests.push(apiKey);
    if (apiKey === API.produce) produceAcks.push(acksOf(frame));
    const fate = link.isStalled ? 'lose' : proxy.fateOf(apiKey);
    if (fate === 'hold') held.push({ link, frame });
    else if (fate !== 'lose') link.broker.write(frame);
    else if (!link.isStalled) link.client.destroy();
    if (fate === 'lose-answer') link.lost.add(frame.readInt32BE(8));
  };
  const onAnswer = (link: Link, frame: Buffer): void => {
    const id = frame.readInt32BE(4);
    link.late.get(id)?.();
    if (link.lost.has(id)) link.client.destroy();
    else if (!link.isStalled && !link.client.destroyed) link.client.write(readdressed(frame));
  };
  const readdressed = (frame: Buffer): Buffer => {
    const [own, theirs] = [proxyPort(), Number(port)].map((number) => addressBytes(host, number)) as [Buffer, Buffer];
    for (let at = frame.indexOf(theirs); at >= 0; at = frame.indexOf(theirs, at + 1)) own.copy(frame, at);
    return frame;
  };
  const server = createServer((client) => {
    const link: Link = { client, broker: connect(Number(port), host), isStalled: false, lost: new Set(), late: new Map() };
    links.add(link);
    for (const socket of [client, link.broker]) socket.on('error', () => undefined); // followed by 'close'
    eachFrame(client, (frame) => onRequest(link, frame));
    eachFrame(link.broker, (frame) => onAnswer(link, frame));
    client.on('close', () => {
      if (!held.some((one) => one.link === link)) link.broker.destroy();
    });
    link.broker.on('close', () => {
      links.delete(link);
      client.destroy();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxyPort = (): number => (server.address() as AddressInfo).port;

  const proxy: KafkaProxy = {
    address: `${host}:${proxyPort()}`,
    requests,
    produceAcks,
    fateOf: () => 'pass',
    cut() {
      for (const { client } of links) client.destroy();
    },
    stall() {
      for (const link of links) link.isStalled = true;
    },
    async release() {
      const frames = held;
      held = [];
      const answers = frames.map(({ link, frame }) => {
        const answer = new Promise<void>((resolve) => link.late.set(frame.readInt32BE(8), resolve));
        link.broker.write(frame);
        return answer;
      });
      await Promise.all(answers);
    },
    async close() {
      for (const { client, broker } of links) for (const socket of [client, broker]) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return proxy;
}

/** Behind the header: the transactional id, which is null or a text, then acks. */
function acksOf(frame: Buffer): number {
  const clientId = 12;
  const transactionalId = clientId + 2 + Math.max(0, frame.readInt16BE(clientId));
  return frame.readInt16BE(transactionalId + 2 + Math.max(0, frame.readInt16BE(transactionalId)));
}

/** Kafka's messages either way: a length of four bytes, and as many bytes. */
function eachFrame(socket: Socket, act: (frame: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const end = 4 + rest.readInt32BE(0);
      act(Buffer.from(rest.subarray(0, end)));
      rest = rest.subarray(end);
    }
  });
}

/** As a broker's address stands in answers. */
function addressBytes(host: string, port: number): Buffer {
  const bytes = Buffer.alloc(2 + host.length + 4);
  bytes.writeInt16BE(host.length);
  bytes.write(host, 2);
  bytes.writeInt32BE(port, 2 + host.length);
  return bytes;
}
