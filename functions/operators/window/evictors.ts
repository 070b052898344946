import type { EvictorShape } from '../../graph/window-shape.ts';

/** An element of a window, with the timestamp that it came with. */
export interface TimestampedValue {
  readonly value: unknown;
  readonly timestamp: number | undefined;
}

type Elements = readonly TimestampedValue[];

/** The elements that stay for the window function. */
export function evictBefore(evictor: EvictorShape, elements: Elements, window: unknown, now: number): Elements {
  if (evictor.kind === 'custom') return custom(evictor.evictBefore, elements, window, now);
  return evictor.after ? elements : evict(evictor, elements);
}

/** The elements that stay when it has run. */
export function evictAfter(evictor: EvictorShape, elements: Elements, window: unknown, now: number): Elements {
  if (evictor.kind === 'custom') return custom(evictor.evictAfter, elements, window, now);
  return evictor.after ? evict(evictor, elements) : elements;
}

type CustomEvictor = Extract<EvictorShape, { readonly kind: 'custom' }>;

function custom(evict: CustomEvictor['evictBefore'], elements: Elements, window: unknown, now: number): Elements {
  if (evict === undefined) return elements;
  const context = { currentWatermark: () => now };
  return [...evict(elements, window, context as never)] as Elements;
}

function evict(evictor: Exclude<EvictorShape, CustomEvictor>, elements: Elements): Elements {
  switch (evictor.kind) {
    case 'count':
      return elements.slice(Math.max(0, elements.length - evictor.maxCount));
    case 'time': {
      const [first] = elements;
      if (first?.timestamp === undefined) return elements;
      const latest = elements.reduce((most, { timestamp = -Infinity }) => Math.max(most, timestamp), -Infinity);
      return elements.filter(({ timestamp = -Infinity }) => timestamp > latest - evictor.keepMs);
    }
    case 'delta': {
      const last = elements.at(-1);
      return last === undefined ? elements : elements.filter(({ value }) => evictor.delta(value, last.value) < evictor.threshold);
    }
  }
}
