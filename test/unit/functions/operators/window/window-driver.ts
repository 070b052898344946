import { type DataStream, type KeyedStream, pipeline, type Stream } from '../../../../../functions/index.ts';
import type { Emit, OperatorSetup, TimerOperator } from '../../../../../functions/operators/operator.ts';
import { RecordContext } from '../../../../../functions/operators/record-context.ts';
import { windowOperator } from '../../../../../functions/operators/window/window-operator.ts';
import { fromStateKey } from '../../../../../functions/shared/key.ts';
import { TaskState } from '../../../../../functions/state/task-state.ts';
import type { TimeDomain } from '../../../../../functions/state/timer-service.ts';
import type { Reading } from './run-windows.ts';

/** A result, and the timestamp that it came with. */
export type Emitted = readonly [value: unknown, timestamp: number | undefined];

/** One window operator on a state in memory, without a stage around it: for many small runs, and to look into the state. */
export class WindowDriver {
  readonly results: Emitted[] = [];
  readonly late: unknown[] = [];
  readonly failures: unknown[] = [];
  readonly state = new TaskState(0);
  readonly context = new RecordContext();
  private readonly process: Emit;
  private readonly timers: TimerOperator;

  /** @param build - Gives the operator; the last one of what it records. */
  constructor(build: (keyed: KeyedStream<Reading, string>, all: Stream<Reading>) => DataStream<unknown>) {
    const graph = pipeline('driver', (env) => {
      const readings = env.fromCollection<Reading>([]);
      build(
        readings.keyBy(({ key }) => key),
        readings,
      );
    }).build();
    const node = graph.nodes.at(-1);
    if (node?.kind !== 'window') throw new TypeError('the last operator is no window');
    const plan = { node: node.id, kind: node.kind, uid: 'w', name: 'w', inputs: [], keyed: true, states: [] };
    const setup: OperatorSetup<'window'> = {
      ...{ node, plan, context: this.context },
      emit: (value) => this.results.push([value, this.context.timestamp]),
      side: () => (value) => this.late.push(value),
    };
    const { process, timers } = windowOperator(setup);
    if (!timers) throw new TypeError('a window has timers');
    this.process = process;
    this.timers = timers;
    this.context.state = this.state;
  }

  get lateRecords(): number {
    return this.context.lateRecords;
  }

  add(reading: Reading): void {
    this.context.key = reading.key;
    this.context.timestamp = reading.at;
    this.process(reading);
  }

  watermark(time: number): void {
    this.timers.watermark = time;
    this.fireDue('event', time);
  }

  processingTime(time: number): void {
    this.context.processingTime = time;
    this.fireDue('processing', time);
  }

  /** Entries by table, of the tables that hold any. */
  entries(): Record<string, number> {
    const held = this.state.allTables().filter(({ entries }) => entries.size > 0);
    return Object.fromEntries(held.map(({ id, entries }) => [id, entries.size]));
  }

  private fireDue(domain: TimeDomain, until: number): void {
    for (let timer = this.timers.pending.firstDue(domain, until); timer; timer = this.timers.pending.firstDue(domain, until)) {
      const mark = this.state.mark();
      this.timers.pending.remove(domain, timer);
      this.context.key = fromStateKey(timer.stateKey);
      try {
        this.timers.fire(domain, timer);
      } catch (error) {
        // As the engine does after the last attempt.
        this.failures.push(error);
        this.state.rollback(mark);
        this.timers.pending.remove(domain, timer);
        this.timers.abandon?.(domain, timer);
      }
    }
  }
}
