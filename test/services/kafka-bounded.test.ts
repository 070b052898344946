/** `kafka.source({ bounded })`: what is in the topic at the first start is read, to the end and no further. */
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { Projects } from '../cli/command.ts';
import { createTestTopic, freshName } from '../helpers/kafka.ts';
import { describeWithServices } from '../helpers/services.ts';
import { CountingRuns, countingPipeline } from './counting.ts';

const projects = new Projects();
afterAll(() => projects.dispose());

describeWithServices(['kafka'], 'a topic that is read to its end', ({ kafka }) => {
  const runs = new CountingRuns(kafka.address);
  const { config } = runs;

  test('ends where it ended at the first start, though its last offsets are those of transactions, and stays so', async () => {
    const [input, out, namespace] = [freshName('in'), freshName('out'), freshName('latest')];
    await createTestTopic(config, input, 2);
    await createTestTopic(config, out, 1);
    await runs.produce(input, 500);
    await runTransaction(input, true);
    await runTransaction(input, false);
    const source = `kafka.source({ topic: '${input}', value: json(), bounded: 'latest' })`;
    const dir = projects.create({ 'p.ts': countingPipeline(source, out) });
    const flags = ['--data', join(dir, 'data'), '--json'];

    const first = await runs.start(dir, namespace, ...flags).ended;
    await runs.produce(input, 300);
    const second = await runs.start(dir, namespace, ...flags).ended;

    expect([first.code, second.code]).toEqual([0, 0]);
    expect(JSON.parse(first.stdout)).toMatchObject({ ok: true, finished: true });
    expect(JSON.parse(second.stdout)).toMatchObject({ ok: true, finished: true, records: 0 });
    await expect(runs.total(out)).resolves.toBe(510);
  }, 120_000);

  /** Ten records of 1 in a transaction, which ends each partition with a marker; aborted ones are nobody's. */
  async function runTransaction(topic: string, isCommitted: boolean): Promise<void> {
    const client = new Kafka({ brokers: [...config.brokers], logLevel: logLevel.NOTHING });
    const producer = client.producer({ transactionalId: freshName('tx'), maxInFlightRequests: 1, idempotent: true });
    await producer.connect();
    const transaction = await producer.transaction();
    const messages = Array.from({ length: 10 }, (_, i) => ({ value: JSON.stringify({ key: `k${i}`, n: 1 }), partition: i % 2 }));
    await transaction.send({ topic, messages });
    await (isCommitted ? transaction.commit() : transaction.abort());
    await producer.disconnect();
  }
});
