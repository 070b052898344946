/** `millrace dlq`: dead letters as people and machines read them, each once however often it was written. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { encodeValue } from '../../functions/codec/value.ts';
import { deadLetterMessage } from '../../functions/runtime/dead-letter.ts';
import { EmbeddedLog } from '../../local/log/embedded-log.ts';
import { type Ended, millrace, pipelineFile, Projects } from './command.ts';

const projects = new Projects();
afterAll(() => projects.dispose());

const LINES = ['{"n":1}', '{"n":-3}', 'no json', '{"n":4}', '{"n":-5}'];
const BAD = pipelineFile(
  'bad',
  `env.fromSource({ kind: 'feed', name: 'lines', bounded: true, value: json(), async *read() { yield ${JSON.stringify(LINES)}.map((line) => Buffer.from(line)); } }, { uid: 'in' })
    .filter(({ n }) => { if (n < 0) throw new Error('negative: ' + n); return true; })
    .keyBy(({ n }) => n % 2).sum('n').uid('total').print();`,
  '{ parallelism: 1 }',
);
const TOPIC = 'default.bad.dlq';

describe('millrace dlq', () => {
  let dir = '';
  const dlq = (...args: string[]): Promise<Ended> => millrace(dir, ['dlq', ...args, '--data', join(dir, 'data')]);
  const lettersOf = async (...args: string[]): Promise<{ offset: number }[]> => {
    const { stdout, code } = await dlq('ls', 'p.ts', '--json', ...args);
    expect(code).toBe(0);
    return stdout.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as { offset: number }); // prettier-ignore
  };

  /** What runs that are cut short leave: a copy, and letters of another stage, one of them with a payload that JSON can't hold. */
  async function addByHand(): Promise<void> {
    const log = new EmbeddedLog({ dataDir: join(dir, 'data') });
    const [first] = log.read(TOPIC, 0, 0, { maxRecords: 1, maxBytes: 1e6 });
    if (!first) throw new Error('no dead letter');
    const { headers, value } = first;
    await log.append(TOPIC, 0, [{ key: null, value, headers }]);
    const failure = { code: 'MILLRACE_KEY_TYPE', message: 'no\u001b[2Jkey', stack: '', attempts: 1 };
    const origin = Buffer.from(headers.find(([name]) => name === 'millrace-origin')?.[1] ?? []).toString();
    const kept = [
      ['traceparent', Buffer.from('00-0af7-b7ad-01')],
      ['tenant', Buffer.from('ac\u001b[2Jme')],
      ['raw', Buffer.of(0xff)],
    ] as const;
    const record = { origin, stage: 'total', task: 'total/t-0@1', failure, key: Buffer.from([0xff, 0]) } as const;
    await log.append(TOPIC, 0, [
      deadLetterMessage({ ...record, kind: 'record', value: encodeValue({ key: 1, value: { big: 10n ** 20n }, tag: 0 }), headers: kept }),
      { key: null, value: Buffer.from('of somebody else'), headers: [] },
    ]);
    await log.close();
  }

  beforeAll(async () => {
    dir = projects.create({ 'p.ts': BAD });
    expect(await millrace(dir, ['dev', 'p.ts', '--data', join(dir, 'data')])).toMatchObject({ code: 0 });
    await addByHand();
  }, 60_000);

  test('ls lists each once, without what could move the cursor', async () => {
    const { code, stdout } = await dlq('ls', 'p.ts');

    expect(code).toBe(0);
    expect(stdout).toContain(`topic ${TOPIC}: 6 messages, 1 of them copies; 5 dead letters\n`);
    expect(stdout).toMatch(/^ {2}0 +\S+Z {2}in +MILLRACE_USER_FUNCTION +negative: -3 +\{"n":-3\}$/m);
    expect(stdout).toMatch(/^ {2}1 +\S+Z {2}in +MILLRACE_DECODE_FAILED +the record is no JSON: .* no json$/m);
    expect(stdout).toMatch(/^ {2}4 +\S+Z {2}total +MILLRACE_KEY_TYPE +no·\[2Jkey /m);
    expect(stdout).not.toMatch(/^ {2}3 /m);
  });

  test.each([
    [
      ['--stage', 'in'],
      [0, 1, 2],
    ],
    [['--stage', 'total'], [4]],
    [
      ['--code', 'MILLRACE_USER_FUNCTION'],
      [0, 2],
    ],
    [['--code', 'MILLRACE_USER_FUNCTION', '--limit', '1'], [2]],
    [
      ['--limit', '2'],
      [4, 5],
    ],
    [['--code', 'MILLRACE_OTHER'], []],
  ])('ls %j shows offsets %j', async (args, offsets) => {
    expect((await lettersOf(...args)).map(({ offset }) => offset)).toEqual(offsets);
  });

  test('ls says that there are more', async () => {
    expect((await dlq('ls', 'p.ts', '--limit', '2')).stdout).toContain('; the newest 2, for more give --limit\n');
  });

  test('show prints all of it, and where its copies are', async () => {
    const { code, stdout } = await dlq('show', 'p.ts', '0');

    expect(code).toBe(0);
    expect(stdout).toMatch(/^offset +0 \(copies at 3\)$/m);
    expect(stdout).toMatch(/^origin +in\/default\.bad\.in-0@1:1\.0\.0$/m);
    expect(stdout).toMatch(/^attempts +3$/m);
    expect(stdout).toMatch(/\nstack\nError: negative: -3\n {4}at .*\bp\.ts:\d+:\d+\)?\n/);
    expect(stdout).toContain('\npayload (json)\n{\n  "n": -3\n}\n');
  });

  test('show prints the headers that the message had', async () => {
    const { stdout } = await dlq('show', 'p.ts', '4');

    expect(stdout).toContain(
      '\nheaders of the message\ntraceparent: (text) 00-0af7-b7ad-01\ntenant: (hex) 61631b5b324a6d65\nraw: (hex) ff\n\npayload',
    );
  });

  test('show --json has the payload in a form that loses nothing, and the trace', async () => {
    const shown = async (offset: string): Promise<unknown> => JSON.parse((await dlq('show', 'p.ts', offset, '--json')).stdout);

    expect(await shown('1')).toMatchObject({ offset: 1, payload: { form: 'text', value: 'no json' }, key: { form: 'none' }, copies: [] });
    expect(await shown('4')).toMatchObject({
      traceparent: '00-0af7-b7ad-01',
      headers: [
        { name: 'traceparent', form: 'text', value: '00-0af7-b7ad-01' },
        { name: 'tenant' },
        { name: 'raw', form: 'hex', value: 'ff' },
      ],
      payload: { form: 'millrace', value: { key: 1, value: { big: { $bigint: '100000000000000000000' } }, tag: 0 } },
      copies: [],
    });
    expect(await shown('5')).toMatchObject({ code: '', origin: '', payload: { form: 'text', value: 'of somebody else' } });
  });

  test.each([
    [['show', 'p.ts'], 2, 'MILLRACE_FLAG_INVALID: OFFSET is missing: millrace dlq show FILE OFFSET'],
    [['show', 'p.ts', '1.5'], 2, "MILLRACE_FLAG_INVALID: OFFSET is '1.5'; give a whole number from 0"],
    [['show', 'p.ts', '6'], 1, `MILLRACE_MESSAGE_MISSING: there is no dead letter at offset 6 of topic ${TOPIC}, which holds 0 to 5.`],
    [['ls', 'p.ts', '--limit', '0'], 2, "MILLRACE_FLAG_INVALID: --limit is '0'; give a whole number from 1"],
    [['ls', 'p.ts', '--stage', 'nope'], 2, "MILLRACE_FLAG_INVALID: there is no stage 'nope'; there are in, total"],
    [['ls', 'p.ts', '--namespace', 'other'], 1, 'MILLRACE_TOPIC_MISSING: there is no topic other.bad.dlq in the data folder '],
  ])('refuses %j', async (args, code, message) => {
    expect(await dlq(...args)).toMatchObject({ code, stderr: expect.stringContaining(message) });
  });

  test('refuses a log in memory', async () => {
    expect(await millrace(dir, ['dlq', 'ls', 'p.ts'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('keeps its topics in memory'),
    });
  });

  test('its flags are parameters of the pipeline for other commands', async () => {
    const params = projects.create({ 'p.ts': pipelineFile('limits', "env.param('limit'); env.fromElements(1).print();") });

    expect(await millrace(params, ['plan', 'p.ts', '--limit', '3'])).toMatchObject({ code: 0 });
    expect(await millrace(params, ['dlq', 'ls', 'p.ts', '--param', 'limit=3', '--limit', '3'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('keeps its topics in memory'),
    });
  });
});
