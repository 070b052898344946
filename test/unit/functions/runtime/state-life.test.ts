import { describe, expect, test } from '@jest/globals';
import { type Pipeline, pipeline } from '../../../../functions/api/pipeline.ts';
import { type StateOptions, valueState } from '../../../../functions/api/state-descriptors.ts';
import { json } from '../../../../functions/codec/json.ts';
import { kafkaSink } from '../../../../functions/connectors/kafka/sink.ts';
import { kafkaSource } from '../../../../functions/connectors/kafka/source.ts';
import { planPipeline } from '../../../../functions/graph/plan.ts';
import type { KafkaEvent } from '../../../../functions/runtime/lambda.ts';
import { createStageRuntime } from '../../../../functions/runtime/stage-handler.ts';
import { systemClock } from '../../../../functions/shared/clock.ts';
import { MemoryStateBackend } from '../../../../functions/state/memory/memory-state-backend.ts';
import { readTasks } from '../../../../local/inspect/state-reader.ts';
import { sizeTables } from '../../../../local/inspect/table-size.ts';
import { MemoryLog } from '../../../../local/testing/memory-log.ts';

/** Counts the records of a key, and tells the count once more when the input ends. */
function counting(options: StateOptions<number>): Pipeline {
  return pipeline('counting', { parallelism: 1 }, (env) => {
    env
      .fromSource(kafkaSource({ topic: 'in', value: json<string>(), keyedByRecordKey: true }), { uid: 'in' })
      .keyBy((key) => key)
      .process({
        state: { count: valueState('count', { default: 0, ...options }) },
        *processElement(key, { state, timerService }) {
          state.count.update(state.count.value() + 1);
          timerService.registerProcessingTimeTimer(1e15);
          yield `${key} ${state.count.value()}`;
        },
        *onTimer(_, { key, state }) {
          yield `${key} ${state.count.value()} at the end`;
        },
      })
      .uid('op')
      .sinkTo(kafkaSink({ topic: 'out', value: json<string>() }));
  });
}

class Deployment {
  private readonly log = new MemoryLog(systemClock);
  private readonly state = new MemoryStateBackend();
  private next = 0;

  constructor() {
    for (const topic of ['in', 'out', 'default.counting.dlq']) this.log.createTopic(topic, 1);
  }

  /** Runs records of these keys, appended at `time`, in an environment of this code that has just begun; returns what it puts out. */
  async run(code: Pipeline, time: number, keys: readonly string[], isLast = false): Promise<string[]> {
    const graph = code.build();
    const ports = { channels: this.log, state: this.state, clock: systemClock, print: () => undefined, log: () => undefined };
    const handler = createStageRuntime(planPipeline(graph), 'in', graph, ports);
    const before = this.results.length;
    const records = keys.map((key) => ({
      ...{ topic: 'in', partition: 0, offset: this.next++, timestamp: time, timestampType: 'LOG_APPEND_TIME' as const, key: null },
      value: Buffer.from(JSON.stringify(key)).toString('base64'),
      headers: [],
    }));
    const event: KafkaEvent = { eventSource: 'SelfManagedKafka', records: { 'in-0': records } };
    if (records.length > 0) await handler(event);
    if (isLast)
      await handler({ eventSource: 'millrace:end', generation: 1, partitions: [{ topic: 'in', partition: 0, offset: this.next }] });
    return this.results.slice(before);
  }

  /** Entries of each table, as `millrace state` shows them. */
  async held(code: Pipeline): Promise<Record<string, number>> {
    const plan = planPipeline(code.build());
    const [stage] = plan.stages;
    const tasks = stage ? await readTasks(this.state, plan, stage) : [];
    return Object.fromEntries(sizeTables(tasks).flatMap(({ id, entries }) => (entries > 0 ? [[id, entries]] : [])));
  }

  private get results(): string[] {
    const sent = this.log.partitions('out').flat();
    return sent.map(({ value }) => JSON.parse(Buffer.from(value ?? []).toString()) as string);
  }
}

describe('a state with a TTL', () => {
  const code = counting({ ttl: '1 minute' });

  test('expires by the time of the log, in any environment, and what has expired is freed', async () => {
    const deployment = new Deployment();
    expect(await deployment.run(code, 1000, ['a', 'a', 'b'])).toEqual(['a 1', 'a 2', 'b 1']);
    expect(await deployment.run(code, 50_000, ['a'])).toEqual(['a 3']);
    expect(await deployment.run(code, 61_000, ['c'])).toEqual(['c 1']);
    expect(await deployment.held(code)).toMatchObject({ 'value:op/count': 2, 'ttl-value:op/count': 2 });
    expect(await deployment.run(code, 109_999, ['b', 'a'])).toEqual(['b 1', 'a 4']);
    expect(await deployment.run(code, 400_000, ['a'])).toEqual(['a 1']);
    expect(await deployment.held(code)).toMatchObject({ 'value:op/count': 1, 'ttl-value:op/count': 1 });
  });

  test('does not expire because the input ends', async () => {
    const deployment = new Deployment();
    await deployment.run(code, 1000, ['a', 'a']);

    expect(await deployment.run(code, 2000, [], true)).toEqual(['a 2 at the end']);
  });

  test('can get one later, and lose it', async () => {
    const deployment = new Deployment();
    await deployment.run(counting({}), 1000, ['a', 'b']);
    expect(await deployment.run(code, 500_000, ['a'])).toEqual(['a 2']);
    expect(await deployment.run(code, 900_000, ['a', 'b'])).toEqual(['a 1', 'b 2']);
    expect(await deployment.run(counting({}), 9e9, ['b'])).toEqual(['b 3']);
  });
});

describe('a state with a version', () => {
  const tenfold = counting({ version: 2, migrate: (old) => 10 * (old as number) });

  test('goes on with what older code has stored; older code does not with what newer has', async () => {
    const deployment = new Deployment();
    await deployment.run(counting({}), 1000, ['a', 'a', 'b']);
    expect(await deployment.run(tenfold, 2000, ['a', 'a'])).toEqual(['a 21', 'a 22']);
    expect(await deployment.held(tenfold)).toMatchObject({ 'value:op/count': 1, 'value:op/count@2': 1 });

    await expect(deployment.run(counting({}), 3000, ['b'])).rejects.toMatchObject({ code: 'MILLRACE_STATE_VERSION', retry: 'never' });
  });
});
