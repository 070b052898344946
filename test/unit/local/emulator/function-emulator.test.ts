import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { transformSync } from 'esbuild';
import { FunctionEmulator, type FunctionOptions } from '../../../../local/emulator/function-emulator.ts';
import { TemporaryFolder } from '../bundle-file.ts';

let folder: TemporaryFolder;
const open: FunctionEmulator[] = [];

beforeEach(() => {
  folder = new TemporaryFolder();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((emulator) => emulator.recycle()));
  folder.remove();
});

function emulate(source: string, options: Partial<FunctionOptions> = {}): FunctionEmulator {
  const emulator = new FunctionEmulator({ name: 'stage', bundlePath: folder.bundle(source), ...options });
  open.push(emulator);
  return emulator;
}

const COUNTER = 'let calls = 0; exports.handler = async (event) => ({ event, call: ++calls });';
const SLOW = 'exports.handler = (event) => new Promise((resolve) => setTimeout(resolve, event.ms ?? 60000, event));';

test('hands the event to the handler and its result back, as JSON', async () => {
  const result = await emulate(COUNTER).invoke('{"a":[1,"ä"]}');

  expect(JSON.parse(result.payload)).toEqual({ event: { a: [1, 'ä'] }, call: 1 });
  expect(result.error).toBeUndefined();
});

test('a handler that returns nothing answers null', async () => {
  expect((await emulate('exports.handler = async () => {};').invoke('{}')).payload).toBe('null');
});

test('keeps an environment warm: the second invocation finds what the first left', async () => {
  const emulator = emulate(COUNTER);

  const first = await emulator.invoke('{}');
  const second = await emulator.invoke('{}');

  expect([first.isCold, second.isCold, emulator.coldStarts]).toEqual([true, false, 1]);
  expect(JSON.parse(second.payload)).toMatchObject({ call: 2 });
});

test('runs one invocation at a time in an environment, and makes another for one beside it', async () => {
  const emulator = emulate(COUNTER);

  const results = await Promise.all([emulator.invoke('{}'), emulator.invoke('{}')]);

  expect(results.map(({ payload }) => JSON.parse(payload) as unknown)).toEqual([
    { event: {}, call: 1 },
    { event: {}, call: 1 },
  ]);
  expect(emulator.coldStarts).toBe(2);
});

test('prefers the environment that served the same name last', async () => {
  const emulator = emulate('const id = Math.random(); exports.handler = async () => id;');
  const [a, b] = await Promise.all([emulator.invoke('{}', { affinity: 'a' }), emulator.invoke('{}', { affinity: 'b' })]);

  expect((await emulator.invoke('{}', { affinity: 'a' })).payload).toBe(a.payload);
  expect((await emulator.invoke('{}', { affinity: 'b' })).payload).toBe(b.payload);
});

test('throttles above the concurrency limit, and takes more afterwards', async () => {
  const emulator = emulate(SLOW, { concurrency: 1 });
  const first = emulator.invoke('{"ms":20}');

  await expect(emulator.invoke('{"ms":0}')).rejects.toMatchObject({ code: 'MILLRACE_FUNCTION_THROTTLED' });
  await first;
  await expect(emulator.invoke('{"ms":0}')).resolves.toMatchObject({ error: undefined });
});

test('runs nothing after it was closed', async () => {
  const emulator = emulate(SLOW);
  await emulator.close();

  await expect(emulator.invoke('{"ms":0}')).rejects.toMatchObject({ code: 'MILLRACE_FUNCTION_THROTTLED' });
  expect(emulator.coldStarts).toBe(0);
});

test('gives the handler its context', async () => {
  const source = `exports.handler = async (event, context) => ({ ...context, remaining: context.getRemainingTimeInMillis() });`;
  const result = await emulate(source, { timeoutMs: 5000, memoryMb: 256 }).invoke('{}', { clientContext: '{"custom":{"a":1}}' });

  const context = JSON.parse(result.payload) as Record<string, unknown>;
  expect(context).toMatchObject({
    awsRequestId: result.requestId,
    functionName: 'stage',
    memoryLimitInMB: '256',
    clientContext: { custom: { a: 1 } },
  });
  expect(context['remaining']).toBeGreaterThan(4000);
  expect(context['remaining']).toBeLessThanOrEqual(5000);
});

test("gives the function its own environment variables and Lambda's, and nothing of this process", async () => {
  process.env['MILLRACE_TEST_SECRET'] = 'x';
  const result = await emulate('exports.handler = async () => process.env;', { env: { MINE: '1' } }).invoke('{}');
  delete process.env['MILLRACE_TEST_SECRET'];

  const env = JSON.parse(result.payload) as Record<string, string>;
  expect(env).toMatchObject({ MINE: '1', AWS_LAMBDA_FUNCTION_NAME: 'stage' });
  expect(env['MILLRACE_TEST_SECRET']).toBeUndefined();
});

test('an exception of the handler is a result with its type, message and code; the environment lives on', async () => {
  const emulator = emulate(`let calls = 0; exports.handler = async () => {
    if (calls++ === 0) throw Object.assign(new TypeError('bad thing'), { code: 'MILLRACE_CONFLICT' });
    return calls;
  };`);

  const failed = await emulator.invoke('{}');
  const next = await emulator.invoke('{}');

  expect(failed.error).toMatchObject({ errorType: 'TypeError', errorMessage: 'bad thing', code: 'MILLRACE_CONFLICT' });
  expect(JSON.parse(failed.payload)).toMatchObject({ errorType: 'TypeError' });
  expect([next.payload, next.isCold]).toEqual(['2', false]);
});

test('a timeout ends the environment, even in an endless loop, and the next invocation starts cold', async () => {
  const emulator = emulate('exports.handler = async (event) => { while (event.loop); return 1; };', { timeoutMs: 60 });
  await emulator.invoke('{}');

  const late = await emulator.invoke('{"loop":true}');
  const next = await emulator.invoke('{}');

  expect(late.error).toEqual({
    errorType: 'Sandbox.Timedout',
    errorMessage: `RequestId: ${late.requestId} Error: Task timed out after 0.06 seconds`,
  });
  expect([next.payload, next.isCold]).toEqual(['1', true]);
});

test('running out of memory ends the environment as Lambda does', async () => {
  const source =
    'exports.handler = async (event) => { const all = []; while (event.eat) all.push(new Array(1000).fill(all.length)); return 1; };';
  const emulator = emulate(source, { memoryMb: 32 });

  const eaten = await emulator.invoke('{"eat":true}');

  expect(eaten.error).toMatchObject({ errorType: 'Runtime.ExitError', errorMessage: expect.stringContaining('signal: killed') });
  expect((await emulator.invoke('{}')).payload).toBe('1');
});

test.each([
  ['an exception outside the handler', "setTimeout(() => { throw new RangeError('late'); })", 'RangeError'],
  ['a rejection that nobody handles', "void Promise.reject(new Error('late'))", 'Runtime.UnhandledPromiseRejection'],
  ['process.exit', 'process.exit(3)', 'Runtime.ExitError'],
])('%s fails the invocation and ends the environment', async (_, statement, errorType) => {
  const emulator = emulate(`exports.handler = (event) => event.ok ? 1 : new Promise(() => { ${statement}; });`);

  const crashed = await emulator.invoke('{}');
  const next = await emulator.invoke('{"ok":true}');

  expect(crashed.error?.errorType).toBe(errorType);
  expect([next.payload, next.isCold]).toEqual(['1', true]);
});

test('an environment that dies between invocations is not used again', async () => {
  const emulator = emulate('exports.handler = async (event) => { if (event.die) setTimeout(() => process.exit(1), 1); return 1; };');
  await emulator.invoke('{"die":true}');
  await new Promise((resolve) => setTimeout(resolve, 30));

  await expect(emulator.invoke('{}')).resolves.toMatchObject({ payload: '1', isCold: true });
});

test.each([
  ['throws while loading', "throw new SyntaxError('broken')", 'SyntaxError'],
  ['exports no handler', 'exports.other = 1', 'Runtime.HandlerNotFound'],
])('a bundle that %s fails each invocation', async (_, source, errorType) => {
  const emulator = emulate(source);

  expect((await emulator.invoke('{}')).error?.errorType).toBe(errorType);
  expect((await emulator.invoke('{}')).error?.errorType).toBe(errorType);
});

test('a bundle file that is missing fails the invocation', async () => {
  const emulator = emulate('', { bundlePath: '/nowhere/bundle.cjs' });

  expect((await emulator.invoke('{}')).error).toMatchObject({ code: 'MODULE_NOT_FOUND' });
});

test('captures what the function prints, with the lines of Lambda around it, and passes it on as it comes', async () => {
  const printed: string[] = [];
  const source = "exports.handler = async () => { console.log('out'); console.error('err'); process.stdout.write('raw\\n'); };";
  const emulator = emulate(source, { onOutput: (stream, text) => printed.push(`${stream}:${text}`) });

  const { logTail, requestId } = await emulator.invoke('{}');

  expect(printed).toEqual(['stdout:out\n', 'stderr:err\n', 'stdout:raw\n']);
  expect(logTail.split('\n').slice(0, 5)).toEqual([
    `START RequestId: ${requestId} Version: $LATEST`,
    'out',
    'err',
    'raw',
    `END RequestId: ${requestId}`,
  ]);
  expect(logTail).toMatch(
    /REPORT RequestId: \S+\tDuration: \S+ ms\tBilled Duration: \d+ ms\tMemory Size: 512 MB\tMax Memory Used: \d+ MB\tInit Duration: \S+ ms/,
  );
});

test('keeps the last 4 KB of the log', async () => {
  const { logTail } = await emulate("exports.handler = async () => { for (let i = 0; i < 500; i++) console.log('line ' + i); };").invoke(
    '{}',
  );

  expect(Buffer.byteLength(logTail)).toBe(4096);
  expect(logTail).toContain('line 499');
});

test('keeps what was printed before a timeout', async () => {
  const { logTail } = await emulate("exports.handler = () => { console.log('here'); while (true); };", { timeoutMs: 60 }).invoke('{}');

  expect(logTail).toContain('here');
  expect(logTail).toContain('Task timed out after 0.06 seconds');
});

test('returns the batch metrics that the function published in this invocation, none of the one before', async () => {
  const emulator = emulate(`const { channel } = require('node:diagnostics_channel');
    exports.handler = async ({ n }) => { for (let i = 0; i < n; i++) channel('millrace:stage:batch').publish({ stage: 's', recordsIn: i }); };`);

  expect((await emulator.invoke('{"n":2}')).metrics).toEqual([
    { stage: 's', recordsIn: 0 },
    { stage: 's', recordsIn: 1 },
  ]);
  expect((await emulator.invoke('{"n":1}')).metrics).toEqual([{ stage: 's', recordsIn: 0 }]);
});

test('recycle ends all environments, busy ones too', async () => {
  const emulator = emulate(SLOW);
  await emulator.invoke('{"ms":0}');
  const busy = emulator.invoke('{"ms":60000}');
  await emulator.recycle();

  expect((await busy).error?.errorType).toBe('Runtime.ExitError');
  await expect(emulator.invoke('{"ms":0}')).resolves.toMatchObject({ isCold: true });
});

test('close waits for what is under way', async () => {
  const emulator = emulate(SLOW);
  const running = emulator.invoke('{"ms":30,"id":7}');
  await emulator.close();

  expect(JSON.parse((await running).payload)).toMatchObject({ id: 7 });
});

test("stacks name the source's file and line where the bundle has a map, and are as ever where it has none", async () => {
  const source = 'interface Erased {}\n\nexport const handler = async (): Promise<never> => {\n  throw new TypeError("here");\n};\n';
  const { code, map } = transformSync(source, { loader: 'ts', format: 'cjs', minify: true, sourcemap: 'external', sourcefile: 'src/p.ts' });
  const dir = join(folder.path, 'stage-1');
  mkdirSync(dir);
  writeFileSync(join(dir, 'index.js'), code);
  writeFileSync(`${dir}.js.map`, map);
  const mapped = await emulate('', { bundlePath: join(dir, 'index.js') }).invoke('{}');
  const plain = await emulate('exports.handler = async () => {\n  throw new TypeError("here"); };').invoke('{}');

  expect(mapped.error?.trace?.slice(0, 2)).toEqual(['TypeError: here', expect.stringMatching(/^ {4}at .*\bsrc\/p\.ts:4:9\)?$/)]);
  expect(plain.error?.trace?.slice(0, 2)).toEqual(['TypeError: here', expect.stringMatching(/^ {4}at .*bundle-\d+\.cjs:2:9\)?$/)]);
});
