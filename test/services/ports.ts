import { connect, createServer } from 'node:net';
import { testPorts } from './settings.ts';

/** Whether a server could listen on this port of 127.0.0.1 now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}

/** Whether somebody accepts connections there. */
export function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const end = (isConnected: boolean): void => {
      socket.destroy();
      resolve(isConnected);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

/** The first of `count` free ports in a row, drawn at random, so that tests side by side seldom look at the same. */
export async function findFreePorts(count: number): Promise<number> {
  const [first, end] = testPorts;
  for (;;) {
    const base = first + Math.floor(Math.random() * (end - first - count));
    const ports = Array.from({ length: count }, (_, i) => base + i);
    const free = await Promise.all(ports.map(isPortFree));
    if (!free.includes(false)) return base;
  }
}
