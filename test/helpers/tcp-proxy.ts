import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A connection in the middle, so that a test can do to it what networks and servers do. */
export interface TcpProxy {
  /** `127.0.0.1:port` */
  readonly address: string;
  /** What goes each way: passed on, kept back until it is passed on again, or thrown away. */
  requests: 'pass' | 'hold' | 'drop';
  answers: 'pass' | 'hold' | 'drop';
  /** Passes on what was held, and all that comes. */
  release(): void;
  /** Ends all connections, as a server that is killed does; what was held is lost. */
  cut(): void;
  /** The next time that something arrives from the client's side. */
  nextRequest(): Promise<void>;
  close(): Promise<void>;
}

/** Between clients and the server at `target` (`host:port`). */
export async function openTcpProxy(target: string): Promise<TcpProxy> {
  const [host = '', port = ''] = target.split(':');
  const sockets = new Set<Socket>();
  const held: (() => void)[] = [];
  let heard: (() => void)[] = [];
  const forward = (from: Socket, to: Socket, way: 'requests' | 'answers'): void => {
    sockets.add(from);
    from.on('data', (data) => {
      if (way === 'requests') for (const tell of heard.splice(0)) tell();
      if (proxy[way] === 'pass') to.write(data);
      else if (proxy[way] === 'hold') held.push(() => to.write(data));
    });
    from.on('error', () => undefined); // followed by 'close'
    from.on('close', () => (sockets.delete(from), to.destroy()));
  };
  const server = createServer((client) => {
    const upstream = connect(Number(port), host);
    forward(client, upstream, 'requests');
    forward(upstream, client, 'answers');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: TcpProxy = {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: 'pass',
    answers: 'pass',
    release() {
      proxy.requests = proxy.answers = 'pass';
      for (const write of held.splice(0)) write();
    },
    cut() {
      held.length = 0;
      for (const socket of sockets) socket.destroy();
    },
    nextRequest: () => new Promise((resolve) => heard.push(resolve)),
    async close() {
      heard = [];
      proxy.cut();
      server.close();
      await once(server, 'close');
    },
  };
  return proxy;
}
