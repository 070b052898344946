import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Pipeline, pipeline } from '../../../../functions/api/pipeline.ts';
import type { TimerService } from '../../../../functions/api/process-function.ts';
import { WatermarkStrategy } from '../../../../functions/api/watermark-strategy.ts';
import { SlidingEventTimeWindows } from '../../../../functions/api/window-assigner.ts';
import { FrameListWriter } from '../../../../functions/codec/frame-writer.ts';
import { json } from '../../../../functions/codec/json.ts';
import { kafkaSink } from '../../../../functions/connectors/kafka/sink.ts';
import { kafkaSource } from '../../../../functions/connectors/kafka/source.ts';
import { planPipeline } from '../../../../functions/graph/plan.ts';
import type { StageHandler } from '../../../../functions/runtime/lambda.ts';
import { createStageRuntime } from '../../../../functions/runtime/stage-handler.ts';
import { systemClock } from '../../../../functions/shared/clock.ts';
import { MemoryStateBackend } from '../../../../functions/state/memory/memory-state-backend.ts';
import { runPipeline } from '../../../../local/testing.ts';
import { MemoryLog } from '../../../../local/testing/memory-log.ts';

type Domain = 'event' | 'processing';

interface Command {
  readonly key: string;
  readonly domain: Domain;
  readonly time: number;
  readonly isDelete: boolean;
}

/** Registers and deletes what records say, and puts out what fires. */
const timers = pipeline('timers', { parallelism: 1, watermarkIntervalMs: 1 }, (env) => {
  env
    .fromSource(kafkaSource({ topic: 'in', value: json<Command>() }), { uid: 'in' })
    .keyBy(({ key }) => key)
    .process({
      processElement({ domain, time, isDelete }, { timerService }) {
        if (domain === 'event') timerService[isDelete ? 'deleteEventTimeTimer' : 'registerEventTimeTimer'](time);
        else timerService[isDelete ? 'deleteProcessingTimeTimer' : 'registerProcessingTimeTimer'](time);
        return [];
      },
      onTimer: (time, ctx) => [`${ctx.timeDomain} ${time} ${ctx.key}`],
    })
    .uid('op')
    .sinkTo(kafkaSink({ topic: 'out', value: json() }));
});

/** The stage with the timers, over frames with times and watermarks that the test sets. */
class Stage {
  private readonly graph = timers.build();
  private readonly plan = planPipeline(this.graph);
  private readonly log = new MemoryLog(systemClock);
  private readonly state = new MemoryStateBackend();
  private handler: StageHandler = this.open();
  private next = 0;

  constructor() {
    for (const topic of ['out', this.plan.deadLetterTopic]) this.log.createTopic(topic, 1);
  }

  /** Another environment goes on, with nothing in its caches. */
  restart(): void {
    this.handler = this.open();
  }

  /** One batch of one frame, which the broker appended at `time`; `repeat` delivers it again. */
  async send(command: Command | undefined, time: number, watermark: number | undefined, repeat: boolean): Promise<void> {
    const writer = new FrameListWriter({ upstream: 'in/in-0@1', upstreamTasks: 1, maxBytes: 10_000 });
    writer.time(time, time, time);
    if (command) writer.add(this.next, 0, 0, undefined, 0, command.key, command);
    const topic = this.plan.channels[0]?.topic ?? '';
    for (const frame of writer.finish(watermark)) {
      const value = Buffer.from(frame).toString('base64');
      const record = {
        topic,
        partition: 0,
        offset: this.next++,
        timestamp: time,
        timestampType: 'LOG_APPEND_TIME' as const,
        key: null,
        value,
      };
      const event = { eventSource: 'SelfManagedKafka' as const, records: { [`${topic}-0`]: [{ ...record, headers: [] }] } };
      await this.handler(event);
      if (repeat) await this.handler(event);
    }
  }

  get fired(): string[] {
    const sent = this.log.partitions('out').flat();
    return sent.map(({ value }) => JSON.parse(Buffer.from(value ?? []).toString()) as string);
  }

  private open(): StageHandler {
    const ports = { channels: this.log, state: this.state, clock: systemClock, print: () => undefined, log: () => undefined };
    return createStageRuntime(this.plan, 'op', this.graph, ports);
  }
}

const command: fc.Arbitrary<Command> = fc.record({
  key: fc.constantFrom('a', 'b', 'c'),
  domain: fc.constantFrom('event', 'processing'),
  time: fc.nat({ max: 60 }),
  isDelete: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});
const batch = fc.record({
  command: fc.option(command, { nil: undefined }),
  passes: fc.nat({ max: 10 }),
  risesBy: fc.option(fc.integer({ min: 1, max: 10 }), { nil: undefined }),
  restart: fc.boolean(),
  repeat: fc.boolean(),
});

test('timers of both domains fire exactly once, in order of time and key, through restarts and repeated batches', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(batch, { maxLength: 25 }), async (batches) => {
      const stage = new Stage();
      const pending = { event: new Map<string, Command>(), processing: new Map<string, Command>() };
      const expected: string[] = [];
      const fire = (domain: Domain, until: number): void => {
        const due = [...pending[domain]].filter(([, { time }]) => time <= until);
        due.sort(([, a], [, b]) => a.time - b.time || (a.key < b.key ? -1 : 1));
        for (const [name, { time, key }] of due) {
          expected.push(`${domain} ${time} ${key}`);
          pending[domain].delete(name);
        }
      };
      let [time, seen, watermark] = [0, -Infinity, 0];
      for (const one of batches) {
        time += one.passes;
        const isSent = one.command !== undefined || one.risesBy !== undefined;
        // A timer in the past fires when time next moves.
        if (isSent && time > seen) fire('processing', (seen = time));
        if (one.command) {
          const { domain, isDelete, key } = one.command;
          const name = `${one.command.time} ${key}`;
          if (isDelete) pending[domain].delete(name);
          else pending[domain].set(name, one.command);
        }
        if (one.risesBy !== undefined) fire('event', (watermark += one.risesBy));
        if (one.restart) stage.restart();
        await stage.send(one.command, time, one.risesBy === undefined ? undefined : watermark, one.repeat);
      }
      expect(stage.fired).toEqual(expected);
    }),
    { numRuns: 200 },
  );
});

describe('a timer that is always registered again', () => {
  function always(register: (service: TimerService, time: number) => void): Pipeline {
    return pipeline('always', { parallelism: 1 }, (env) => {
      env
        .fromCollection([{ key: 'a' }, { key: 'b' }], { uid: 'given' })
        .keyBy(({ key }) => key)
        .process({
          processElement(_, { timerService }) {
            register(timerService, 0);
            return [];
          },
          *onTimer(time, ctx) {
            yield `${ctx.timeDomain} ${time} ${ctx.key}`;
            register(ctx.timerService, time + 60_000);
          },
        })
        .uid('op')
        .sinkTo(kafkaSink({ topic: 'out', value: json<string>() }));
    });
  }

  test('in processing time, fires once more at the end of the input, and is over', async () => {
    const run = await runPipeline(always((service, time) => service.registerProcessingTimeTimer(time === 0 ? 1e15 : time)));

    expect((run.sinks['out'] ?? []).map(({ value }) => value)).toEqual(['processing 1000000000000000 a', 'processing 1000000000000000 b']);
    expect(run.deadLetters).toEqual([]);
  });

  test('in event time, fires so often behind the last pending one, and is a dead letter then', async () => {
    const run = await runPipeline(
      always((service, time) => service.registerEventTimeTimer(time)),
      { determinism: false },
    );

    expect(run.sinks['out']).toHaveLength(2 * 1001);
    expect(run.deadLetters.map(({ code }) => code)).toEqual(['MILLRACE_TIMERS_ENDLESS', 'MILLRACE_TIMERS_ENDLESS']);
  });

  test('and one that looks at the watermark ends by itself', async () => {
    const run = await runPipeline(
      always((service, time) => {
        if (service.currentWatermark() < Infinity) service.registerEventTimeTimer(time);
      }),
    );

    expect(run.sinks['out']).toHaveLength(2);
    expect(run.deadLetters).toEqual([]);
  });

  test('timers in event time that the last ones in processing time register still fire', async () => {
    const run = await runPipeline(
      pipeline('last', { parallelism: 1 }, (env) => {
        env
          .fromCollection([{ key: 'a' }], { uid: 'given' })
          .keyBy(({ key }) => key)
          .process({
            processElement(_, { timerService }) {
              timerService.registerProcessingTimeTimer(1e15);
              return [];
            },
            *onTimer(time, ctx) {
              yield `${ctx.timeDomain} ${time}`;
              if (ctx.timeDomain === 'processing') ctx.timerService.registerEventTimeTimer(5);
            },
          })
          .uid('op')
          .sinkTo(kafkaSink({ topic: 'out', value: json<string>() }));
      }),
    );

    expect((run.sinks['out'] ?? []).map(({ value }) => value)).toEqual(['processing 1000000000000000', 'event 5']);
  });

  test('windows have as many as they need: a key has one that goes from window to window', async () => {
    const minutes = Array.from({ length: 1500 }, (_, i) => ({ key: 'a', at: i * 60_000 }));
    const run = await runPipeline(
      pipeline('sliding', { parallelism: 1 }, (env) => {
        env
          .fromCollection(minutes, { uid: 'given' })
          .assignTimestampsAndWatermarks(
            WatermarkStrategy.forBoundedOutOfOrderness('100 days').withTimestampAssigner(({ at }: { at: number }) => at),
          )
          .keyBy(({ key }) => key)
          .window(SlidingEventTimeWindows.of('1 minute', '30 seconds'))
          .count()
          .uid('op')
          .sinkTo(kafkaSink({ topic: 'out', value: json() }));
      }),
    );

    expect(run.sinks['out']).toHaveLength(2 * 1500);
    expect(run.deadLetters).toEqual([]);
  });
});

test('timers of two operators that fail at one place are two dead letters', async () => {
  const run = await runPipeline(
    pipeline('two', { parallelism: 1 }, (env) => {
      const keyed = env.fromCollection([{ key: 'a' }], { uid: 'given' }).keyBy(({ key }) => key);
      for (const uid of ['x', 'y'])
        keyed
          .process({
            processElement(_, ctx) {
              ctx.timerService.registerEventTimeTimer(5);
            },
            onTimer() {
              throw new Error(`of ${uid}`);
            },
          })
          .uid(uid)
          .print();
    }),
  );

  expect(run.deadLetters.map(({ origin, error }) => [/timer 5 of (\w)/.exec(origin)?.[1], error]).sort()).toEqual([
    ['x', 'of x'],
    ['y', 'of y'],
  ]);
});
