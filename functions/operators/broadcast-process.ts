import { broadcastName } from '../graph/broadcast-shape.ts';
import type { StateDescriptorShape } from '../graph/logical-graph.ts';
import { fromStateKey, stateKey } from '../shared/key.ts';
import { type KeyScope, openKeyedState } from '../state/keyed-state.ts';
import { type KeyedStates, versionedId } from '../state/keyed-states.ts';
import { tableId } from '../state/tables.ts';
import type { TaskState } from '../state/task-state.ts';
import { drawNumber, drawUuid } from './draw.ts';
import type { Operator, OperatorSetup, TimerOperator } from './operator.ts';
import { ProcessRunner } from './process-runner.ts';
import type { RecordContext } from './record-context.ts';

/**
 * BroadcastProcessFunction and KeyedBroadcastProcessFunction: every task gets all records of the second input, and keeps what it makes of
 * them.
 */
export function broadcastProcessOperator(setup: OperatorSetup<'broadcastProcess'>): Operator {
  const { states, processElement, processBroadcastElement, onTimer } = setup.node.broadcastProcess;
  const held = new BroadcastStates(setup);
  const runner = new ProcessRunner(setup, states, onTimer, {
    getBroadcastState: (descriptor: StateDescriptorShape) => readOnly(held.of(descriptor)),
    currentWatermark: () => runner.timers.watermark,
    currentProcessingTime: () => setup.context.processingTime,
  });
  const view = new BroadcastView(setup, runner.timers, held);
  return {
    process: (value) => {
      runner.run(processElement, value);
    },
    processSecond: (value) => {
      for (const output of processBroadcastElement(value, view as never) ?? []) setup.emit(output);
    },
    timers: runner.timers,
  };
}

/** The states that `broadcast()` was given, as this task has them. */
class BroadcastStates {
  private readonly states: ReadonlyMap<string, object>;

  constructor({ node, plan, context }: OperatorSetup<'broadcastProcess'>) {
    const scope = new TaskScope(context);
    const open = (state: StateDescriptorShape): object =>
      openKeyedState(scope, plan.uid ?? plan.name, { ...state, name: broadcastName(state.name) });
    this.states = new Map(node.broadcastProcess.broadcastStates.map((state) => [state.name, open(state)]));
  }

  of({ name }: StateDescriptorShape): object {
    const state = this.states.get(name);
    if (state !== undefined) return state;
    throw new TypeError(`getBroadcastState() was given state '${name}', which broadcast() was not`);
  }
}

/** State of a task that belongs to no key of its records: it stands under the empty text, as every entry has an owner. */
class TaskScope implements KeyScope {
  readonly stateKey = stateKey('');
  private readonly context: RecordContext;

  constructor(context: RecordContext) {
    this.context = context;
  }

  get state(): TaskState {
    return this.context.state;
  }

  get stateTime(): number {
    return this.context.stateTime;
  }

  get states(): KeyedStates {
    return this.context.states;
  }
}

const READS = ['get', 'has', 'keys', 'values', 'entries', 'isEmpty'];

/** Not only by its type: what one task wrote, the others would not have. */
function readOnly(state: object): object {
  return Object.fromEntries(Object.entries(state).filter(([method]) => READS.includes(method)));
}

/** The `ctx` of user code; its type is `KeyedBroadcastContext` in api/broadcast-process-function.ts. */
class BroadcastView {
  readonly getBroadcastState: (descriptor: StateDescriptorShape) => object;
  readonly output: (tag: { readonly name: string }, value: unknown) => void;
  readonly random: () => number;
  readonly uuid: () => string;
  private readonly setup: OperatorSetup<'broadcastProcess'>;
  private readonly timers: TimerOperator;

  constructor(setup: OperatorSetup<'broadcastProcess'>, timers: TimerOperator, held: BroadcastStates) {
    const { context, side } = setup;
    this.setup = setup;
    this.timers = timers;
    this.getBroadcastState = (descriptor) => held.of(descriptor);
    this.output = (tag, value) => {
      side(tag.name)(value);
    };
    this.random = () => drawNumber(context);
    this.uuid = () => drawUuid(context);
  }

  get timestamp(): number | undefined {
    return this.setup.context.timestamp;
  }

  currentWatermark(): number {
    return this.timers.watermark;
  }

  currentProcessingTime(): number {
    return this.setup.context.processingTime;
  }

  applyToKeyedState({ name }: StateDescriptorShape, fn: (key: unknown, state: object) => void): void {
    const { node, plan, context } = this.setup;
    const descriptor = Object.values(node.broadcastProcess.states).find((state) => state.name === name);
    if (descriptor === undefined) throw new TypeError(`applyToKeyedState() was given state '${name}', which the function does not declare`);
    const operator = plan.uid ?? plan.name;
    const state = openKeyedState(context, operator, descriptor);
    const id = tableId(descriptor.kind === 'map' ? 'map' : 'value', operator, name);
    const tables = Array.from({ length: descriptor.version ?? 1 }, (_, i) => context.state.table(versionedId(id, i + 1)));
    const owners = new Set(tables.flatMap((table) => [...table.entries.keys()].map((entry) => table.ownerOf(entry))));
    const { key } = context;
    // In canonical order: history must not show, or a replay would differ.
    for (const owner of [...owners].sort()) {
      context.key = fromStateKey(owner);
      fn(context.key, state);
    }
    context.key = key;
  }
}
