import { describe, expect, test } from '@jest/globals';
import { printSink } from '../../../../../functions/connectors/print/sink.ts';
import type { ChannelWriter } from '../../../../../functions/channels/channel-writer.ts';
import type { SinkWriter } from '../../../../../functions/connectors/sink.ts';

interface Printer {
  readonly writer: SinkWriter<unknown>;
  readonly lines: string[];
  now: number;
}

function open(prefix?: string): Printer {
  const lines: string[] = [];
  const printer = { lines, now: 0 };
  const channels = undefined as unknown as ChannelWriter;
  const context = {
    task: 'in/in-0@1',
    pipeline: 'default.test',
    channels,
    now: () => printer.now,
    print: (line: string) => lines.push(line),
  };
  return Object.assign(printer, { writer: printSink(prefix).open(context) });
}

function write({ writer }: Printer, values: readonly unknown[]): void {
  for (const [offset, value] of values.entries()) writer.write(value, undefined, { offset, ordinal: 0, emission: 0 });
}

function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}

describe('print sink', () => {
  test.each<[unknown, string]>([
    ['text', 'text'],
    [1, '1'],
    [null, 'null'],
    [{ a: [1, 'b', true], c: null }, '{"a":[1,"b",true],"c":null}'],
    [undefined, 'undefined'],
    [NaN, 'NaN'],
    [10n, '10n'],
    [new Map([['a', 1]]), "Map(1) { 'a' => 1 }"],
    [{ a: undefined }, '{ a: undefined }'],
  ])('prints %p as one line', async (value, line) => {
    const printer = open();
    write(printer, [value]);
    await printer.writer.flush();

    expect(printer.lines).toEqual([line]);
  });

  test('prints an object that contains itself', async () => {
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    const printer = open();
    write(printer, [loop]);
    await printer.writer.flush();

    expect(printer.lines[0]).toContain('[Circular');
  });

  test('puts the prefix before each line, and prints nothing before the flush', async () => {
    const printer = open('words');
    write(printer, ['a', 'b']);
    expect(printer.lines).toEqual([]);
    await printer.writer.flush();

    expect(printer.lines).toEqual(['words> a', 'words> b']);
  });

  test('prints what the value was when it was written', async () => {
    const printer = open();
    const value = { n: 1 };
    write(printer, [value]);
    value.n = 2;
    await printer.writer.flush();

    expect(printer.lines).toEqual(['{"n":1}']);
  });

  test('prints ten lines a second, and tells in the next second how many it left out', async () => {
    const printer = open('n');
    write(printer, numbers(4));
    await printer.writer.flush();
    printer.now = 500;
    write(printer, numbers(20));
    await printer.writer.flush();
    write(printer, numbers(7));
    await printer.writer.flush();
    expect(printer.lines).toHaveLength(10);

    printer.now = 1000;
    write(printer, ['next']);
    await printer.writer.flush();

    expect(printer.lines.slice(10)).toEqual(['n> … and 21 more lines', 'n> next']);
  });

  test('tells it even if nothing new was written', async () => {
    const printer = open();
    write(printer, numbers(11));
    await printer.writer.flush();
    printer.now = 2000;
    await printer.writer.flush();

    expect(printer.lines.at(-1)).toBe('… and 1 more lines');
  });

  test.each([3, 10, 15, 25])('takes back what was written since a mark of %d', async (kept) => {
    const printer = open();
    write(printer, numbers(kept));
    const mark = printer.writer.mark();
    write(printer, ['failed', 'failed']);
    printer.writer.reset(mark);
    write(printer, ['last']);
    await printer.writer.flush();
    printer.now = 1000;
    await printer.writer.flush();

    const first = [...numbers(kept).map(String), 'last'].slice(0, 10);
    const rest = kept + 1 - first.length;
    expect(printer.lines).toEqual(rest > 0 ? [...first, `… and ${rest} more lines`] : first);
  });
});
