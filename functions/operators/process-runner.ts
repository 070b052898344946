import type { ProcessShape } from '../graph/logical-graph.ts';
import { openKeyedState } from '../state/keyed-state.ts';
import { OperatorTimers, type TimeDomain } from '../state/timer-service.ts';
import { drawNumber, drawUuid } from './draw.ts';
import { limitTimers } from './endless-timers.ts';
import type { OperatorPlace, TimerOperator } from './operator.ts';

/** Runs the functions of a process function, of one input or of two, and puts out what they give. */
export class ProcessRunner {
  readonly timers: TimerOperator;
  private readonly place: OperatorPlace;
  private readonly view: ProcessContext;

  /** @param more - What `ctx` has besides. */
  constructor(place: OperatorPlace, states: ProcessShape['states'], onTimer: ProcessShape['onTimer'], more: object = {}) {
    const { plan, context } = place;
    this.place = place;
    this.timers = {
      pending: new OperatorTimers(context, plan.uid ?? plan.name),
      limit: limitTimers,
      watermark: -Infinity,
      fire: (domain, { time }) => {
        this.view.timeDomain = domain;
        context.timestamp = domain === 'event' ? time : undefined;
        this.emitAll(onTimer?.(time, this.view as never));
      },
    };
    this.view = Object.assign(new ProcessContext(place, states, this.timers), more);
  }

  run(fn: ProcessShape['processElement'], value: unknown): void {
    this.view.timeDomain = undefined;
    this.emitAll(fn(value, this.view as never));
  }

  private emitAll(outputs: Iterable<unknown> | undefined): void {
    const { emit } = this.place;
    if (outputs) for (const output of outputs) emit(output);
  }
}

/** The `ctx` of user code; its type is `KeyedProcessContext` in api/process-function.ts. */
class ProcessContext {
  timeDomain: TimeDomain | undefined;
  readonly state: Readonly<Record<string, object>>;
  readonly timerService: object;
  readonly output: (tag: { readonly name: string }, value: unknown) => void;
  readonly random: () => number;
  readonly uuid: () => string;
  private readonly place: OperatorPlace;

  constructor(place: OperatorPlace, states: ProcessShape['states'], timers: TimerOperator) {
    const { plan, context } = place;
    this.place = place;
    const operator = plan.uid ?? plan.name;
    this.state = Object.fromEntries(
      Object.entries(states).map(([name, descriptor]) => [name, openKeyedState(context, operator, descriptor)]),
    );
    this.timerService = timerService(place, timers);
    this.output = (tag, value) => {
      place.side(tag.name)(value);
    };
    this.random = () => drawNumber(context);
    this.uuid = () => drawUuid(context);
  }

  get key(): unknown {
    return this.place.context.key;
  }

  get timestamp(): number | undefined {
    return this.place.context.timestamp;
  }
}

function timerService({ context }: OperatorPlace, timers: TimerOperator): object {
  const { pending } = timers;
  return {
    currentWatermark: () => timers.watermark,
    currentProcessingTime: () => context.processingTime,
    registerEventTimeTimer: (time: number) => {
      pending.register('event', time);
    },
    registerProcessingTimeTimer: (time: number) => {
      pending.register('processing', time);
    },
    deleteEventTimeTimer: (time: number) => {
      pending.unregister('event', time);
    },
    deleteProcessingTimeTimer: (time: number) => {
      pending.unregister('processing', time);
    },
  };
}
