/** What Millrace keeps, as ZooKeeper's own command line sees it: a client that shares no code with ours. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { TaskState } from '../../functions/state/task-state.ts';
import { tableId } from '../../functions/state/tables.ts';
import { TaskStore } from '../../functions/state/task-store.ts';
import { openZooKeeperStateBackend } from '../../functions/state/zookeeper/state-backend.ts';
import { makeChroot, describeWithZooKeeper } from '../helpers/zookeeper.ts';
import { fetchJars } from './artifacts.ts';
import { javaCommand } from './toolchain.ts';

const TASK = '/millrace/default/orders/total/default.orders.total.g1-3';
const fragments = { maxParallelism: 128, count: 16 };

/** Runs one command of zkCli.sh, which is this class, and gives what it prints. */
async function zkCli(address: string, ...command: string[]): Promise<string> {
  const jars = await fetchJars('zookeeper');
  const options = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=off', '-XX:TieredStopAtLevel=1', '-cp', join(jars, '*')];
  const child = spawn(javaCommand(), [...options, 'org.apache.zookeeper.ZooKeeperMain', '-server', address, ...command]);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await new Promise((resolve) => child.once('close', resolve));
  return text;
}

describeWithZooKeeper("ZooKeeper's own command line", (address) => {
  test("sees a task's fence and delta where the documents say, and cannot remove what has children by mistake", async () => {
    const chroot = await makeChroot(address);
    const backend = openZooKeeperStateBackend(chroot);
    const store = new TaskStore(backend, TASK, {
      ...{ fragments, chunkBytes: 512 * 1024, maxDeltas: 64, minCompactionBytes: 64 * 1024 },
      nonce: () => 'n',
    });
    await store.createFence(7);
    const node = await store.readFence();
    if (!node) throw new Error('no fence');
    const state = new TaskState(0);
    state.set(state.table(tableId('value', 'op', 'v')), 'sada', 3);
    const delta = state.delta(fragments);
    await store.commit(node, { ...node.fence, next: 8, seq: 1 }, delta);

    expect(await zkCli(chroot, 'ls', TASK)).toContain('[d-1]');
    expect(await zkCli(chroot, 'stat', TASK)).toMatch(/dataVersion = 2\n[^]*numChildren = 1/);
    expect(await zkCli(chroot, 'stat', `${TASK}/d-1`)).toContain(`dataLength = ${delta.bytes.length}\n`);
    expect(await zkCli(chroot, 'delete', TASK)).toContain('Node not empty');
    await expect(store.readFence()).resolves.toMatchObject({ version: 2, fence: { next: 8 } });
    await backend.close();
  }, 60_000);
});
