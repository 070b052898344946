import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { aggregatingState, listState, mapState, reducingState, valueState } from '../../../../functions/api/state-descriptors.ts';
import { Types } from '../../../../functions/api/types.ts';

describe('valueState', () => {
  test('takes its type from the default', () => {
    expect(valueState('a', { default: 0 })).toMatchObject({ name: 'a', kind: 'value', type: 'number' });
    expect(valueState('a', { default: { b: '', a: [1], c: { d: 1n } } }).type).toBe('{a: list, b: string, c: {d: bigint}}');
  });

  test('gives a fresh copy of the default each time, also if the given one is changed later', () => {
    const given = { items: [1] };
    const { initial } = valueState('a', { default: given });
    given.items.push(2);
    const first = initial?.() as typeof given;
    first.items.push(3);

    expect(initial?.()).toEqual({ items: [1] });
  });

  test('has no default where only a type is given', () => {
    for (const descriptor of [valueState('a', Types.number), valueState('a', { type: Types.number })]) {
      expect(descriptor).toEqual({ name: 'a', kind: 'value', type: 'number' });
    }
  });

  test('takes a schema, even one with a method named default', () => {
    expect(valueState('a', z.object({ b: z.number() }))).toEqual({ name: 'a', kind: 'value', type: 'schema(zod)' });
  });

  test('prefers a given type to that of the default', () => {
    const descriptor = valueState('a', { type: Types.list(Types.string), default: [] });

    expect(descriptor.type).toBe('list<string>');
    expect(descriptor.initial?.()).toEqual([]);
  });

  test('refuses to be without type and default', () => {
    for (const options of [undefined, {}, 'number']) {
      expect(() => valueState('a', options as never)).toThrow(expect.objectContaining({ code: 'MILLRACE_OPTION_INVALID' }));
    }
  });

  test('refuses a name that cannot be stored', () => {
    expect(() => valueState('$count', { default: 0 })).toThrow(expect.objectContaining({ code: 'MILLRACE_OPTION_INVALID' }));
  });
});

describe('other states', () => {
  test('print the types of what they hold', () => {
    expect(listState('a', Types.string)).toEqual({ name: 'a', kind: 'list', type: 'string' });
    expect(mapState('a', Types.string, Types.object({ b: Types.number, a: Types.optional(Types.date) }))).toEqual({
      name: 'a',
      kind: 'map',
      type: 'string, {a: date?, b: number}',
    });
  });

  test('keep their functions', () => {
    const reduce = (left: number, right: number): number => left + right;
    const aggregate = { createAccumulator: () => ({ sum: 0 }), add: (acc: { sum: number }) => acc, getResult: () => 'result' };

    expect(reducingState('a', { reduce, type: Types.number })).toEqual({ name: 'a', kind: 'reducing', type: 'number', reduce });
    expect(reducingState('a', { reduce }).type).toBe('unknown');
    expect(aggregatingState('a', aggregate)).toEqual({ name: 'a', kind: 'aggregating', type: '{sum: number}', aggregate });
  });

  test('refuse a type that is none', () => {
    expect(() => listState('a', undefined as never)).toThrow(expect.objectContaining({ code: 'MILLRACE_OPTION_INVALID' }));
  });
});

describe('Types', () => {
  test('print in one form, whatever the order of fields', () => {
    expect(Types.object({ b: Types.boolean, a: Types.bytes }).type).toBe(Types.object({ a: Types.bytes, b: Types.boolean }).type);
    expect(Types.map(Types.number, Types.list(Types.json())).type).toBe('map<number, list<json>>');
  });

  test('print like the types of values', () => {
    const values = { a: '', b: 0, c: true, d: 0n, e: new Uint8Array(0), f: new Date(0), g: new Set(), h: new Map(), i: null };

    expect(valueState('a', { default: values }).type).toBe(
      '{a: string, b: number, c: boolean, d: bigint, e: bytes, f: date, g: set, h: map, i: optional}',
    );
  });
});
