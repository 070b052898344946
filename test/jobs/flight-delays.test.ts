/**
 * The shipped job over the real flight records, against figures that are computed here from the file alone: no code of ours, only the
 * definitions (flights of 100 miles and more between two airports; bands of 250 miles, the last from 2500; late from 15 minutes).
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import flightDelays from '../../functions/pipelines/flight-delays.ts';
import { type Fault, type PipelineRun, type PipelineTestOptions, runPipeline } from '../../local/testing.ts';
import { millrace } from '../cli/command.ts';
import { EmbeddedLog } from '../../local/log/embedded-log.ts';

interface Row {
  readonly date: string;
  readonly delay: number;
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

interface Figures {
  flights: number;
  totalDelay: number;
  maxDelay: number;
  late: number;
}

const DATA = join(dirname(require.resolve('vega-datasets')), '..', 'data', 'flights-20k.json');
const text = readFileSync(DATA, 'utf8');
const rows = JSON.parse(text) as Row[];

function figuresBy(keyOf: (row: Row) => string, times = 1): Map<string, Figures> {
  const groups = new Map<string, Figures>();
  for (let round = 0; round < times; round++) {
    for (const row of rows) {
      if (row.distance < 100 || row.origin === row.destination) continue;
      let group = groups.get(keyOf(row));
      if (!group) groups.set(keyOf(row), (group = { flights: 0, totalDelay: 0, maxDelay: -Infinity, late: 0 }));
      group.flights += 1;
      group.totalDelay += row.delay;
      if (row.delay > group.maxDelay) group.maxDelay = row.delay;
      if (row.delay > 14) group.late += 1;
    }
  }
  return groups;
}

function byOrigin(times = 1): Record<string, object> {
  const groups = [...figuresBy(({ origin }) => origin, times)];
  return Object.fromEntries(
    groups.map(([origin, { flights, totalDelay, maxDelay }]) => [origin, { origin, flights, meanDelay: totalDelay / flights, maxDelay }]),
  );
}

const BAND_NAMES = ['0-249', '250-499', '500-749', '750-999', '1000-1249', '1250-1499', '1500-1749', '1750-1999', '2000-2249', '2250-2499'];

function byBand(times = 1): Record<string, object> {
  const groups = [...figuresBy(({ distance }) => BAND_NAMES[Math.trunc(distance / 250)] ?? '2500+', times)];
  return Object.fromEntries(
    groups.map(([band, { flights, totalDelay, maxDelay, late }]) => [
      band,
      { band, flights, meanDelay: totalDelay / flights, maxDelay, late },
    ]),
  );
}

/** What a compacted topic would keep: the last message of each key. */
function lastOf(messages: readonly { readonly key: string | null; readonly value: unknown }[]): Record<string, unknown> {
  return Object.fromEntries(messages.map(({ key, value }) => [key ?? '', value]));
}

/** The figures of bands without the last date, which is tested apart. */
function withoutUntil(bands: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(bands).map(([band, value]) => {
      const { until: _, ...rest } = value as { until: string };
      return [band, rest];
    }),
  );
}

function resultsOf({ sinks }: PipelineRun): { origins: Record<string, unknown>; bands: Record<string, unknown> } {
  return { origins: lastOf(sinks['flight-delay-origins'] ?? []), bands: lastOf(sinks['flight-delay-bands'] ?? []) };
}

const folder = mkdtempSync(join(tmpdir(), 'millrace-flights-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function run(options: PipelineTestOptions = {}): Promise<PipelineRun> {
  return runPipeline(flightDelays, { determinism: false, ...options });
}

/** The real input, to the byte, with two records more that are none: one is no JSON, in the other a delay is text. */
function writeBrokenInput(): string {
  const middle = text.indexOf('{', text.length / 2);
  const unparsable = '{"date":"2001/02/01 10:00","delay":0,"distance":abc,"origin":"ATL","destination":"BOS"}';
  const mismatch = '{"date":"2001/02/01 10:00","delay":"0","distance":900,"origin":"ATL","destination":"BOS"}';
  const path = join(folder, 'broken.json');
  writeFileSync(path, `${text.slice(0, middle)}${unparsable},\n ${mismatch},${text.slice(middle)}`);
  return path;
}

describe('in this process', () => {
  let clean: PipelineRun;
  beforeAll(async () => {
    clean = await run();
  });

  test('the figures of each origin and each band are those of the file', () => {
    const { origins, bands } = resultsOf(clean);

    expect(Object.keys(origins).length).toBeGreaterThan(200);
    expect(origins).toEqual(byOrigin());
    expect(withoutUntil(bands)).toEqual(byBand());
    expect(clean.deadLetters).toEqual([]);
  });

  test('the last date of each band is that of its last flight', () => {
    const { bands } = resultsOf(clean);
    const comparable = rows.filter(({ distance, origin, destination }) => distance >= 2500 && origin !== destination);

    expect(bands['2500+']).toMatchObject({
      until: comparable
        .map(({ date }) => date)
        .sort()
        .at(-1),
    });
  });

  test('two records that cannot be used become two dead letters, and change nothing else', async () => {
    const broken = await run({ params: { input: writeBrokenInput() } });

    expect(broken.deadLetters.map(({ code, stage }) => `${stage} ${code}`).sort()).toEqual([
      'flights MILLRACE_DECODE_FAILED',
      'flights MILLRACE_SCHEMA_MISMATCH',
    ]);
    expect(broken.deadLetters.map(({ value }) => value)).toEqual(
      expect.arrayContaining([expect.stringContaining('"distance":abc'), expect.objectContaining({ delay: '0' })]),
    );
    expect(resultsOf(broken)).toEqual(resultsOf(clean));
  });

  test.each<Fault>([
    { fail: 'read', nth: 3 },
    { fail: 'write', nth: 20 },
    { lose: 'write', nth: 21 },
    { fail: 'append', nth: 50 },
    { lose: 'append', nth: 30 },
    { crash: 'before-publish', nth: 40 },
    { crash: 'after-publish', nth: 45 },
    { crash: 'after-commit', nth: 12 },
    { batch: 'duplicate', nth: 25 },
    { batch: 'recut', nth: 26 },
  ])('the figures survive %j', async (fault) => {
    expect(finalFigures(await run({ faults: [fault] }))).toEqual(finalFigures(clean));
  });

  test('the figures survive many faults in one run, however batches are cut', async () => {
    const kinds: Fault[] = [
      { fail: 'append', nth: 60 },
      { batch: 'recut', nth: 40 },
      { batch: 'duplicate', nth: 70 },
      { crash: 'after-publish', nth: 75 },
      { lose: 'write', nth: 4 },
      { crash: 'after-commit', nth: 6 },
      { lose: 'append', nth: 85 },
      { crash: 'before-publish', nth: 90 },
    ];

    expect(finalFigures(await run({ faults: kinds, batchSize: 171 }))).toEqual(finalFigures(clean));
  });
});

/** The largest figures of each key: an external topic is written at least once, so an earlier message can come again behind a later one. */
function finalFigures({ sinks }: PipelineRun): Record<string, unknown> {
  const final: Record<string, { flights: number }> = {};
  for (const topic of ['flight-delay-origins', 'flight-delay-bands']) {
    for (const { key, value } of sinks[topic] ?? []) {
      const figures = value as { flights: number };
      if (figures.flights >= (final[`${topic} ${key ?? ''}`]?.flights ?? 0)) final[`${topic} ${key ?? ''}`] = figures;
    }
  }
  return final;
}

describe('on the harness, with real bundles', () => {
  async function runHarness(args: readonly string[]): Promise<{ summary: Record<string, never>; data: string }> {
    const data = mkdtempSync(join(folder, 'data-'));
    const { code, stdout, stderr } = await millrace(process.cwd(), [
      'dev',
      'functions/pipelines/flight-delays.ts',
      '--json',
      '--data',
      data,
      ...args,
    ]);
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    return { summary: JSON.parse(stdout) as Record<string, never>, data };
  }

  async function readTopics(
    dataDir: string,
  ): Promise<{ origins: Record<string, unknown>; bands: Record<string, unknown>; deadLetters: string[] }> {
    const log = new EmbeddedLog({ dataDir });
    const read = (topic: string): { key: string; value: unknown; code: string }[] =>
      log.partitions(topic).flatMap(({ partition, startOffset, endOffset }) => {
        const messages = [];
        for (let from = startOffset; from < endOffset; from++) {
          const [message] = log.read(topic, partition, from, { maxRecords: 1, maxBytes: 1_000_000 });
          const value = Buffer.from(message?.value ?? []).toString();
          const code = Buffer.from(message?.headers.find(([name]) => name === 'millrace-code')?.[1] ?? []).toString();
          messages.push({
            key: Buffer.from(message?.key ?? []).toString(),
            value: code === '' ? (JSON.parse(value) as unknown) : value,
            code,
          });
        }
        return messages;
      });
    const result = {
      origins: lastOf(read('flight-delay-origins')),
      bands: lastOf(read('flight-delay-bands')),
      deadLetters: read('default.flight-delays.dlq').map(({ code }) => code),
    };
    await log.close();
    return result;
  }

  test('the figures are those of the file', async () => {
    const { summary, data } = await runHarness([]);

    const { origins, bands, deadLetters } = await readTopics(data);
    expect(origins).toEqual(byOrigin());
    expect(withoutUntil(bands)).toEqual(byBand());
    expect(deadLetters).toEqual([]);
    expect(summary).toMatchObject({ ok: true, finished: true, records: rows.length, deadLetters: 0 });
  });

  test('--repeat 2 counts every flight twice, and the dates go on', async () => {
    const { summary, data } = await runHarness(['--repeat', '2', '--determinism-every', '0']);

    const { origins, bands } = await readTopics(data);
    expect(origins).toEqual(byOrigin(2));
    expect(withoutUntil(bands)).toEqual(byBand(2));
    expect(bands['0-249']).toMatchObject({ until: expect.stringMatching(/^2001\/06\//) });
    expect(summary).toMatchObject({ ok: true, records: 2 * rows.length });
  });

  test('two records that cannot be used become two dead letters, and change nothing else', async () => {
    const { summary, data } = await runHarness(['--input', writeBrokenInput()]);

    const { origins, bands, deadLetters } = await readTopics(data);
    expect(origins).toEqual(byOrigin());
    expect(withoutUntil(bands)).toEqual(byBand());
    expect(deadLetters.sort()).toEqual(['MILLRACE_DECODE_FAILED', 'MILLRACE_SCHEMA_MISMATCH']);
    expect(summary).toMatchObject({ ok: true, finished: true, records: rows.length + 2, deadLetters: 2 });
  });
});
