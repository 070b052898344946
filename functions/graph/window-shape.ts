import type { AggregateShape, StateDescriptorShape } from './logical-graph.ts';
import type { StateShape } from './stage-plan.ts';
import { toStateShape } from './state-shape.ts';

/** What a window operator does, as plain data where it is built in; functions only where they are the user's. */
export interface WindowShape {
  readonly assigner: AssignerShape;
  /** Undefined for the assigner's own. */
  readonly trigger?: TriggerShape;
  readonly evictor?: EvictorShape;
  readonly allowedLatenessMs: number;
  /** Tag of the side output of late records. */
  readonly lateTag?: string;
  readonly contents: ContentsShape;
  /** Makes results of what a window holds; without it, that is the result. */
  readonly apply?: WindowFunctionShape;
  /** What the calls were: `window(…).reduce`. */
  readonly label: string;
  /** Over a whole stream, in one task. */
  readonly all: boolean;
}

export type WindowTime = 'event' | 'processing';

/** All in ms. */
export type AssignerShape =
  | { readonly kind: 'tumbling'; readonly time: WindowTime; readonly sizeMs: number; readonly offsetMs: number }
  | { readonly kind: 'sliding'; readonly time: WindowTime; readonly sizeMs: number; readonly slideMs: number; readonly offsetMs: number }
  | { readonly kind: 'session'; readonly time: WindowTime; readonly gap: number | ((value: unknown) => unknown) }
  | { readonly kind: 'global' };

export type TriggerShape =
  | { readonly kind: 'event-time' | 'processing-time' }
  | { readonly kind: 'count'; readonly count: number }
  | { readonly kind: 'continuous-event-time' | 'continuous-processing-time'; readonly intervalMs: number }
  | { readonly kind: 'purging'; readonly trigger: TriggerShape }
  | CustomTriggerShape;

/** Flink's TriggerResult. */
export type TriggerResult = 'CONTINUE' | 'FIRE' | 'PURGE' | 'FIRE_AND_PURGE';

export interface CustomTriggerShape {
  readonly kind: 'custom';
  readonly states: Readonly<Record<string, StateDescriptorShape>>;
  readonly onElement: (element: unknown, timestamp: number | undefined, window: unknown, context: never) => TriggerResult;
  readonly onEventTime: (time: number, window: unknown, context: never) => TriggerResult;
  readonly onProcessingTime: (time: number, window: unknown, context: never) => TriggerResult;
  /** Only of one that can work on windows that merge. */
  readonly onMerge?: (window: unknown, context: never) => void;
  readonly clear: (window: unknown, context: never) => void;
}

/** `after` evicts when the window function has run, else before it does. */
export type EvictorShape =
  | { readonly kind: 'count'; readonly maxCount: number; readonly after: boolean }
  | { readonly kind: 'time'; readonly keepMs: number; readonly after: boolean }
  | { readonly kind: 'delta'; readonly threshold: number; readonly delta: (from: unknown, to: unknown) => number; readonly after: boolean }
  | { readonly kind: 'custom'; readonly evictBefore?: EvictFunction; readonly evictAfter?: EvictFunction };

/** Gives the elements that stay. */
export type EvictFunction = (elements: readonly unknown[], window: unknown, context: never) => Iterable<unknown>;

/** What a window keeps of its elements: all, or one value that they are folded into. */
export type ContentsShape =
  | { readonly kind: 'elements' }
  | { readonly kind: 'reduce'; readonly reduce: (left: unknown, right: unknown) => unknown }
  | { readonly kind: 'aggregate'; readonly aggregate: AggregateFunctionShape; readonly type: string }
  | { readonly kind: 'rolling'; readonly rolling: AggregateShape };

export interface AggregateFunctionShape {
  readonly createAccumulator: () => unknown;
  readonly add: (accumulator: unknown, value: unknown) => unknown;
  readonly getResult: (accumulator: unknown) => unknown;
  readonly merge?: (left: unknown, right: unknown) => unknown;
}

export interface WindowFunctionShape {
  readonly globalStates: Readonly<Record<string, StateDescriptorShape>>;
  readonly windowStates: Readonly<Record<string, StateDescriptorShape>>;
  readonly process: (key: unknown, elements: readonly unknown[], context: never) => Iterable<unknown> | undefined;
}

/** The kind of time that assigns windows and frees them; a global window is never freed. */
export function timeOf(assigner: AssignerShape): WindowTime | undefined {
  return assigner.kind === 'global' ? undefined : assigner.time;
}

/** Whether windows of the assigner merge, so that everything in them has to. */
export function isMerging(assigner: AssignerShape): boolean {
  return assigner.kind === 'session';
}

/** Whether two halves of a window's contents can be made one. */
export function canMerge(contents: ContentsShape): boolean {
  return contents.kind !== 'aggregate' || contents.aggregate.merge !== undefined;
}

/**
 * The length of the panes that overlapping windows are put together from, in ms; undefined where each window keeps its own contents. Then a
 * record costs one addition, however many windows it is in.
 */
export function paneMs({ assigner, trigger, evictor, contents, apply }: WindowShape): number | undefined {
  if (assigner.kind !== 'sliding' || assigner.slideMs >= assigner.sizeMs) return undefined;
  if (Object.keys(apply?.windowStates ?? {}).length > 0) return undefined; // they are freed window by window
  if (trigger !== undefined || evictor !== undefined || contents.kind === 'elements' || !canMerge(contents)) return undefined;
  return greatestCommonDivisor(assigner.sizeMs, assigner.slideMs);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** The states of a window operator, as the lock file guards them. Windows of another size find their old state, those of another kind don't. */
export function windowStates(shape: WindowShape): readonly StateShape[] {
  const { assigner, trigger, apply } = shape;
  const contents: StateShape = {
    name: '$window',
    kind: shape.evictor === undefined && shape.contents.kind !== 'elements' ? 'value' : 'list',
    type: contentsType(shape),
  };
  const sessions: readonly StateShape[] = isMerging(assigner) ? [{ name: '$sessions', kind: 'list', type: 'window' }] : [];
  const declared = [
    ...prefixed('$trigger-', triggerStates(trigger)),
    ...prefixed('', Object.values(apply?.globalStates ?? {})),
    ...prefixed('$window-', Object.values(apply?.windowStates ?? {})),
  ];
  return [contents, ...sessions, ...declared];
}

function contentsType(shape: WindowShape): string {
  const { assigner, contents, evictor } = shape;
  const pane = paneMs(shape);
  const windows = assigner.kind === 'global' ? 'global' : `${assigner.kind} ${assigner.time} time`;
  const held = evictor === undefined ? typeOfContents(contents) : 'elements with timestamps';
  return `${windows}${pane === undefined ? '' : ` in panes of ${pane} ms`}: ${held}`;
}

function typeOfContents(contents: ContentsShape): string {
  switch (contents.kind) {
    case 'aggregate':
      return contents.type;
    case 'rolling':
      return contents.rolling.of === 'count' ? 'count' : `${contents.rolling.of}(${contents.rolling.field})`;
    default:
      return contents.kind;
  }
}

/** States of a trigger, by the names under which they are stored behind `$trigger-`. */
function triggerStates(trigger: TriggerShape | undefined): readonly StateDescriptorShape[] {
  switch (trigger?.kind) {
    case 'purging':
      return triggerStates(trigger.trigger);
    case 'custom':
      return Object.values(trigger.states);
    case 'count':
      return [{ name: 'count', kind: 'value', type: 'number' }];
    case 'continuous-event-time':
    case 'continuous-processing-time':
      return [{ name: 'next', kind: 'value', type: 'number' }];
    default:
      return [];
  }
}

function prefixed(prefix: string, states: readonly StateDescriptorShape[]): readonly StateShape[] {
  return states.map((state) => ({ ...toStateShape(state), name: prefix + state.name }));
}
