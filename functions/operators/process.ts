import { openKeyedState } from '../state/keyed-state.ts';
import { OperatorTimers, type TimeDomain } from '../state/timer-service.ts';
import { drawNumber, drawUuid } from './draw.ts';
import type { Emit, Operator, OperatorSetup, TimerOperator } from './operator.ts';

/** ProcessFunction and KeyedProcessFunction: user code with state, timers and side outputs. */
export function processOperator(setup: OperatorSetup<'process'>): Operator {
  const { node, context, emit } = setup;
  const { processElement, onTimer } = node.process;
  const timers = timerOperator(setup);
  const view = contextView(setup, timers);
  timers.fire = (domain, { time }) => {
    view.timeDomain = domain;
    context.timestamp = domain === 'event' ? time : undefined;
    emitAll(onTimer?.(time, view as never), emit);
  };
  return {
    process: (value) => {
      view.timeDomain = undefined;
      emitAll(processElement(value, view as never), emit);
    },
    ...(setup.plan.keyed && { timers }),
  };
}

function emitAll(outputs: Iterable<unknown> | undefined, emit: Emit): void {
  if (outputs) for (const output of outputs) emit(output);
}

function timerOperator({ plan, context }: OperatorSetup<'process'>): TimerOperator {
  return { pending: new OperatorTimers(context, plan.uid ?? plan.name), watermark: -Infinity, fire: () => undefined };
}

/** The `ctx` of user code; its type is `KeyedProcessContext` in api/process-function.ts. */
class ProcessContext {
  timeDomain: TimeDomain | undefined;
  readonly state: Readonly<Record<string, object>>;
  readonly timerService: object;
  readonly output: (tag: { readonly name: string }, value: unknown) => void;
  readonly random: () => number;
  readonly uuid: () => string;
  private readonly setup: OperatorSetup<'process'>;

  constructor(setup: OperatorSetup<'process'>, timers: TimerOperator) {
    const { node, plan, context } = setup;
    this.setup = setup;
    const operator = plan.uid ?? plan.name;
    const states = Object.entries(node.process.states);
    this.state = Object.fromEntries(states.map(([name, descriptor]) => [name, openKeyedState(context, operator, descriptor)]));
    this.timerService = timerService(setup, timers);
    this.output = (tag, value) => {
      setup.side(tag.name)(value);
    };
    this.random = () => drawNumber(context);
    this.uuid = () => drawUuid(context);
  }

  get key(): unknown {
    return this.setup.context.key;
  }

  get timestamp(): number | undefined {
    return this.setup.context.timestamp;
  }
}

function contextView(setup: OperatorSetup<'process'>, timers: TimerOperator): ProcessContext {
  return new ProcessContext(setup, timers);
}

function timerService({ context }: OperatorSetup<'process'>, timers: TimerOperator): object {
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
