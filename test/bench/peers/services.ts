import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fetchJars } from '../../services/artifacts.ts';
import { servicesPlace } from '../../services/place.ts';
import { canConnect } from '../../services/ports.ts';
import { Server } from '../../services/server.ts';
import { zooKeeperServer } from '../../services/zookeeper-server.ts';
import { javaProgram, runJava, workFolder } from './java.ts';

/** Counted from the port base: between the two Kafkas for tests. */
const PORT_OFFSET = 5;

/** A broker as its makers set it up but for what one node alone needs, with the topics that the runs read; unlike those for tests, it has a full heap. */
export function benchBroker(): Server {
  const folder = join(workFolder, 'kafka');
  const port = servicesPlace().portBase + PORT_OFFSET;
  const [address, controller] = [`127.0.0.1:${port}`, `127.0.0.1:${port + 1}`];
  const config = join(folder, 'server.properties');
  return new Server({
    title: 'Kafka',
    folder,
    ports: [port, port + 1],
    address,
    features: [],
    async prepare() {
      const properties = {
        'process.roles': 'broker,controller',
        'node.id': 1,
        'controller.quorum.voters': `1@${controller}`,
        listeners: `PLAINTEXT://${address},CONTROLLER://${controller}`,
        'advertised.listeners': `PLAINTEXT://${address}`,
        'controller.listener.names': 'CONTROLLER',
        'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
        'log.dirs': join(folder, 'data'),
        'auto.create.topics.enable': false,
        'group.initial.rebalance.delay.ms': 0,
        'offsets.topic.replication.factor': 1,
        'transaction.state.log.replication.factor': 1,
        'transaction.state.log.min.isr': 1,
        'log.retention.ms': -1,
      };
      mkdirSync(folder, { recursive: true });
      writeFileSync(
        config,
        `${Object.entries(properties)
          .map((entry) => entry.join('='))
          .join('\n')}\n`,
      );
      await runJava(['kafka.tools.StorageTool', 'format', '--ignore-formatted', '-t', CLUSTER_ID, '-c', config]);
      return javaProgram('kafka', ['kafka.Kafka', config], ['-Xmx1g', '-Xms1g']);
    },
    afterStop: () => undefined,
    isReady: () => canConnect(port),
  });
}

const CLUSTER_ID = 'AAAAAAAAAAAAAAAAAAAAAQ';

/** Where Millrace keeps state: with every write on disk before it is answered. */
export function benchZooKeeper(): Server {
  const clientPort = servicesPlace().portBase + PORT_OFFSET + 2;
  const folder = join(workFolder, 'zookeeper');
  return new Server(zooKeeperServer({ folder, clientPort, isSynced: true, compiler: 'full', jars: () => fetchJars('zookeeper') }));
}
