/** A sink of files writes each output once, whatever dies, comes again in other cuts, or wakes up late. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { lineFormat } from '../../../../../functions/connectors/file/line-format.ts';
import { checkFolder, type Files, systemFiles } from '../../../../../functions/connectors/file/part-folder.ts';
import { PartWriter } from '../../../../../functions/connectors/file/part-writer.ts';
import type { AppliedInput } from '../../../../../functions/connectors/sink.ts';
import { MemoryFiles } from './memory-files.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'millrace-parts-'));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

const TASK = { task: 'sum/orders-3@1', pipeline: 'default.shop' };
const FORMAT = lineFormat<string>({ path: '', format: 'json-lines' });

/** Input message o was appended at 1000 + o, and puts out this. */
function outputsOf(offset: number): readonly string[] {
  return Array.from({ length: [1, 0, 2, 0, 0, 1][offset % 6] ?? 0 }, (_, i) => `${offset}.${i}`);
}

function applied(from: number, to: number, logTime = (offset: number) => 1000 + offset): AppliedInput {
  return {
    next: to,
    lastTime: logTime(to - 1),
    timeBelow: (end) => (Math.min(end, to) > from ? logTime(Math.min(end, to) - 1) : -Infinity),
  };
}

function writerOn(files: Files, path = 'out', task = TASK): PartWriter<string> {
  return new PartWriter(path, FORMAT, task, files);
}

async function writeBatch(writer: PartWriter<string>, from: number, to: number): Promise<void> {
  for (let offset = from; offset < to; offset++)
    for (const [emission, value] of outputsOf(offset).entries()) writer.write(value, undefined, { offset, ordinal: 0, emission });
  await writer.flush(false, undefined, applied(from, to));
}

/** What readers have seen of the parts of each folder. */
const seenParts = new WeakMap<Files, Map<string, string>>();

/** What a reader of the folder sees, by name; no part that it has seen before may be gone, or another one. */
async function visible(files: Files, path = 'out'): Promise<readonly string[]> {
  const names = (await files.list(path).catch(() => [])).filter((name) => name.startsWith('part-')).sort();
  const texts = await Promise.all(names.map((name) => files.read(`${path}/${name}`)));
  const seen = seenParts.get(files) ?? new Map<string, string>();
  for (const [i, name] of names.entries()) {
    const text = texts[i] ?? '';
    expect(seen.get(`${path}/${name}`) ?? text).toBe(text);
    seen.set(`${path}/${name}`, text);
  }
  expect(names).toHaveLength([...seen.keys()].filter((name) => name.startsWith(`${path}/`)).length);
  seenParts.set(files, seen);
  return texts.flatMap((text) => text.trimEnd().split('\n')).map((line) => JSON.parse(line) as string);
}

function outputsBelow(end: number): readonly string[] {
  return Array.from({ length: end }, (_, offset) => outputsOf(offset)).flat();
}

/** The same files for one environment: it dies before or after its n-th call, or stands still there until it is let go on. */
class Environment {
  readonly files: Files;
  calls = 0;
  private stop: { readonly at: number; readonly kind: 'dies before' | 'dies after' | 'sleeps' } | undefined;
  private wake: (() => void) | undefined;
  private fallAsleep: () => void = () => undefined;
  /** Resolves when it stands still. */
  readonly sleeping = new Promise<void>((resolve) => (this.fallAsleep = resolve));
  private isDead = false;

  constructor(files: Files) {
    this.files = Object.fromEntries(
      (['makeFolder', 'list', 'read', 'create', 'rename', 'sync', 'remove'] as const).map((name) => [
        name,
        (...args: [never, never]) => this.call(() => files[name](...args) as Promise<never>),
      ]),
    ) as unknown as Files;
  }

  stopAt(at: number, kind: 'dies before' | 'dies after' | 'sleeps'): void {
    this.stop = { at: this.calls + at, kind };
  }

  wakeUp(): void {
    this.wake?.();
    this.wake = undefined;
  }

  private async call<T>(run: () => Promise<T>): Promise<T> {
    const { stop } = this;
    const isHere = this.calls++ === stop?.at;
    if (isHere && stop.kind === 'sleeps') {
      this.fallAsleep();
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
    if (isHere && stop.kind === 'dies before') this.isDead = true;
    if (this.isDead) throw new Error('dead');
    const result = await run();
    if (!isHere || stop.kind !== 'dies after') return result;
    this.isDead = true;
    throw new Error('dead');
  }
}

describe.each([
  ['in memory', () => new MemoryFiles(), (name: string) => name],
  ['on a disk', () => systemFiles, (name: string) => join(root, name)],
])('files %s', (_, open, pathOf) => {
  test('behave as parts rely on', async () => {
    const files = open();
    const at = (name: string): string => `${pathOf('contract')}/${name}`;
    await files.makeFolder(at('a/b'));
    await files.makeFolder(at('a/b'));
    await files.makeFolder(at('full/x'));
    await files.makeFolder(at('empty'));
    await files.create(at('a/b/file'), Buffer.from('text'));

    await expect(files.create(at('a/b/file'), Buffer.from(''))).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(files.create(at('none/file'), Buffer.from(''))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(files.list(at('none'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(files.rename(at('none'), at('c'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(files.rename(at('a'), at('full'))).rejects.toMatchObject({ code: 'ENOTEMPTY' });
    await expect(files.sync(at('none'))).rejects.toMatchObject({ code: 'ENOENT' });
    await files.rename(at('a'), at('empty'));
    expect(await files.list(at('empty'))).toEqual(['b']);
    expect(await files.read(at('empty/b/file'))).toBe('text');
    await files.create(at('empty/other'), Buffer.from('other'));
    await files.rename(at('empty/other'), at('empty/b/file'));
    expect(await files.read(at('empty/b/file'))).toBe('other');
    await files.remove(at('empty'));
    await files.remove(at('empty'));
    expect(await files.list(pathOf('contract'))).toEqual(['full']);
  });

  test.each(['dies before', 'dies after'] as const)('see each output once, whichever call an environment %s', async (kind) => {
    for (let call = 0; ; call++) {
      const path = pathOf(`${kind} ${call}`.replace(' ', '-'));
      const files = open();
      await writeBatch(writerOn(files, path), 0, 3);
      const victim = new Environment(files);
      victim.stopAt(call, kind);
      const hasDied = await writeBatch(writerOn(victim.files, path), 3, 12).then(
        () => false,
        () => true,
      );
      const before = await visible(files, path);
      expect(before).toEqual(outputsBelow(before.length > outputsBelow(3).length ? 12 : 3));
      // The fence knows nothing of it: the batch comes again, cut anew.
      const next = writerOn(files, path);
      await writeBatch(next, 3, 7);
      await writeBatch(next, 7, 18);

      expect(await visible(files, path)).toEqual(outputsBelow(18));
      if (!hasDied) {
        expect(call).toBeGreaterThan(8);
        return;
      }
    }
  });

  test('take nothing from an older owner that wakes up at any call', async () => {
    for (let call = 0; ; call++) {
      const path = pathOf(`zombie-${call}`);
      const files = open();
      await writeBatch(writerOn(files, path), 0, 3);
      const zombie = new Environment(files);
      zombie.stopAt(call, 'sleeps');
      const late = writeBatch(writerOn(zombie.files, path), 3, 12).then(
        () => 'done',
        (error: unknown) => (error as { code?: string }).code,
      );
      const isAsleep = await Promise.race([late.then(() => false), zombie.sleeping.then(() => true)]);
      await writeBatch(writerOn(files, path), 3, 7);
      zombie.wakeUp();
      expect(['done', 'MILLRACE_FENCED']).toContain(await late);
      await writeBatch(writerOn(files, path), 7, 18);

      expect(await visible(files, path)).toEqual(outputsBelow(18));
      if (!isAsleep) {
        expect(call).toBeGreaterThan(8);
        return;
      }
    }
  });
});

test('any schedule of batches, deaths and zombies shows a prefix, and in the end every output once', async () => {
  const step = fc.record({
    environment: fc.nat(2),
    length: fc.integer({ min: 1, max: 9 }),
    isOld: fc.boolean(),
    fate: fc.constantFrom('lives', 'dies before', 'dies after', 'sleeps', 'does not commit'),
    at: fc.nat(14),
    wakes: fc.option(fc.nat(2), { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const files = new MemoryFiles();
      const held: ({ readonly environment: Environment; readonly writer: PartWriter<string> } | undefined)[] = [];
      const asleep: { readonly environment: Environment; readonly late: Promise<unknown> }[] = [];
      let [fence, old] = [0, 0];
      for (const { environment: slot, length, isOld, fate, at, wakes } of steps) {
        const now = held[slot] ?? openEnvironment(files);
        held[slot] = undefined;
        const from = isOld ? old : fence;
        if (fate !== 'lives' && fate !== 'does not commit') now.environment.stopAt(at, fate);
        const writing = writeBatch(now.writer, from, from + length).then(
          () => true,
          () => false,
        );
        const done = await Promise.race([writing, now.environment.sleeping.then(() => undefined)]);
        if (done === undefined) asleep.push({ environment: now.environment, late: writing });
        else if (done) held[slot] = now;
        // An old fence is in the way of its commit; a new one may be.
        if (done === true && from === fence && fate !== 'does not commit') [old, fence] = [fence, fence + length];
        if (wakes !== undefined && asleep[wakes]) {
          const [woken] = asleep.splice(wakes, 1);
          woken?.environment.wakeUp();
          await woken?.late;
        }
        const seen = await visible(files);
        expect(seen.length).toBeGreaterThanOrEqual(outputsBelow(fence).length);
        expect(seen).toEqual(outputsBelow(200).slice(0, seen.length));
      }
      await writeBatch(writerOn(files), fence, 250);
      for (const { environment, late } of asleep) {
        environment.wakeUp();
        await late;
      }

      expect(await visible(files)).toEqual(outputsBelow(250));
    }),
    { numRuns: 150 },
  );
});

function openEnvironment(files: Files): { readonly environment: Environment; readonly writer: PartWriter<string> } {
  const environment = new Environment(files);
  return { environment, writer: writerOn(environment.files) };
}

test('two tasks that write at the same time don’t get in each other’s way', async () => {
  const files = new MemoryFiles();
  const tasks = [0, 1, 2, 3].map((n) => ({ task: `sum/orders-${n}@1`, pipeline: 'default.shop' }));

  await Promise.all(tasks.map((task) => writeBatch(writerOn(files, 'out', task), 0, 6)));

  expect((await visible(files)).toSorted()).toEqual(tasks.flatMap(() => outputsBelow(6)).toSorted());
  expect((await files.list('out')).filter((name) => name.startsWith('part-'))).toEqual([
    expect.stringMatching(/^part-sum-0-000000000000-[0-9a-f]{8}\.jsonl$/),
    expect.stringMatching(/^part-sum-1-000000000000-[0-9a-f]{8}\.jsonl$/),
    expect.stringMatching(/^part-sum-2-000000000000-[0-9a-f]{8}\.jsonl$/),
    expect.stringMatching(/^part-sum-3-000000000000-[0-9a-f]{8}\.jsonl$/),
  ]);
});

test('a folder that holds what a run with another log wrote is refused, in any cut', async () => {
  for (const length of [1, 5, 30]) {
    const files = new MemoryFiles();
    await writeBatch(writerOn(files), 0, 12);
    const writer = writerOn(files);
    writer.write('new', undefined, { offset: 0, ordinal: 0, emission: 0 });

    await expect(
      writer.flush(
        false,
        undefined,
        applied(0, length, (offset) => 9000 + offset),
      ),
    ).rejects.toMatchObject({ code: 'MILLRACE_OUTPUT_FOREIGN' });
    expect(await visible(files)).toEqual(outputsBelow(12));
  }
});

test('records that are taken back are not written', async () => {
  const files = new MemoryFiles();
  const writer = writerOn(files);
  writer.write('a', undefined, { offset: 0, ordinal: 0, emission: 0 });
  const mark = writer.mark();
  writer.write('b', undefined, { offset: 0, ordinal: 0, emission: 1 });
  writer.reset(mark);
  await writer.flush(true, undefined, applied(0, 1));

  expect(await visible(files)).toEqual(['a']);
});

test('a folder that is a file is told before the start', async () => {
  const path = join(root, 'taken');
  await systemFiles.create(path, Buffer.from(''));

  await expect(checkFolder(path)).rejects.toMatchObject({
    code: 'MILLRACE_OUTPUT_UNWRITABLE',
    message: expect.stringContaining('taken cannot be written to: E'),
  });
  await expect(checkFolder(join(root, 'fresh'))).resolves.toBeUndefined();
});
