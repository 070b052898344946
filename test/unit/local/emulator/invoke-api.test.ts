import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { InvokeCommand, LambdaClient, type InvokeCommandInput } from '@aws-sdk/client-lambda';
import { FunctionEmulator } from '../../../../local/emulator/function-emulator.ts';
import { openInvokeApi, type InvokeApi, type InvokeApiOptions } from '../../../../local/emulator/invoke-api.ts';
import { TemporaryFolder } from '../bundle-file.ts';

const SOURCE = `const calls = []; exports.handler = async (event, context) => {
  if (event.wait) await new Promise((resolve) => setTimeout(resolve, event.wait));
  if (event.calls) return calls;
  calls.push(event);
  if (event.print) console.log(event.print);
  if (event.fail) throw new RangeError(event.fail);
  if (event.size) return 'x'.repeat(event.size);
  return { event, client: context.clientContext };
};`;
const ARN = 'arn:aws:lambda:us-east-1:000000000000:function:my-stage';

let folder: TemporaryFolder;
let emulator: FunctionEmulator;
let api: InvokeApi;
let client: LambdaClient;

async function start(options: Partial<InvokeApiOptions> = {}): Promise<void> {
  api = await openInvokeApi({ functions: new Map([['my-stage', emulator]]), retryDelaysMs: [1, 1], ...options });
  client = new LambdaClient({
    endpoint: api.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
    maxAttempts: 1,
  });
}

beforeEach(() => {
  folder = new TemporaryFolder();
  emulator = new FunctionEmulator({ name: 'my-stage', bundlePath: folder.bundle(SOURCE), concurrency: 1 });
});
afterEach(async () => {
  client.destroy();
  await api.close();
  await emulator.recycle();
  folder.remove();
});

const invoke = (input: Partial<InvokeCommandInput> = {}) => client.send(new InvokeCommand({ FunctionName: 'my-stage', ...input }));
const payloadOf = (output: { Payload?: Uint8Array }): unknown => JSON.parse(Buffer.from(output.Payload ?? []).toString());

describe('answers @aws-sdk/client-lambda', () => {
  beforeEach(() => start());

  test('RequestResponse: payload, status, version', async () => {
    const output = await invoke({ Payload: Buffer.from('{"a":"ä"}') });

    expect(payloadOf(output)).toEqual({ event: { a: 'ä' } });
    expect(output).toMatchObject({ StatusCode: 200, ExecutedVersion: '$LATEST' });
    expect([output.FunctionError, output.LogResult]).toEqual([undefined, undefined]);
  });

  test.each([ARN, `${ARN}:$LATEST`, '000000000000:function:my-stage', 'function:my-stage', 'my-stage:$LATEST'])(
    'by the name %s',
    async (FunctionName) => {
      await expect(invoke({ FunctionName })).resolves.toMatchObject({ StatusCode: 200 });
    },
  );

  test('without a payload the event is {}', async () => {
    expect(payloadOf(await invoke())).toEqual({ event: {} });
  });

  test('passes the client context on', async () => {
    const ClientContext = Buffer.from('{"custom":{"k":"v"}}').toString('base64');

    expect(payloadOf(await invoke({ ClientContext }))).toMatchObject({ client: { custom: { k: 'v' } } });
  });

  test('a function error comes with status 200', async () => {
    const output = await invoke({ Payload: Buffer.from('{"fail":"no"}') });

    expect(output).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled' });
    expect(payloadOf(output)).toMatchObject({ errorType: 'RangeError', errorMessage: 'no' });
  });

  test('LogType Tail returns the log', async () => {
    const output = await invoke({ LogType: 'Tail', Payload: Buffer.from('{"print":"hello"}') });

    expect(Buffer.from(output.LogResult ?? '', 'base64').toString()).toMatch(/^START [^\n]*\nhello\nEND [^\n]*\nREPORT /);
  });

  test('DryRun checks and runs nothing', async () => {
    expect((await invoke({ InvocationType: 'DryRun' })).StatusCode).toBe(204);
    expect(emulator.coldStarts).toBe(0);
  });

  test('an unknown function is ResourceNotFoundException', async () => {
    await expect(invoke({ FunctionName: 'other' })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      $metadata: { httpStatusCode: 404 },
    });
  });

  test('an unknown version is ResourceNotFoundException', async () => {
    await expect(invoke({ Qualifier: '7' })).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  test('above the concurrency limit it is TooManyRequestsException', async () => {
    const slow = invoke({ Payload: Buffer.from('{"wait":200}') });
    while (emulator.busy === 0) await new Promise((resolve) => setTimeout(resolve, 1));

    await expect(invoke()).rejects.toMatchObject({
      name: 'TooManyRequestsException',
      $metadata: { httpStatusCode: 429 },
      Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
    });
    await slow;
  });

  test('a payload that is no JSON is InvalidRequestContentException', async () => {
    await expect(invoke({ Payload: Buffer.from('{') })).rejects.toMatchObject({ name: 'InvalidRequestContentException' });
  });

  test('a payload up to 6 MB is taken, a larger one refused', async () => {
    const json = (bytes: number): Buffer => Buffer.from(JSON.stringify('x'.repeat(bytes - 2)));

    await expect(invoke({ Payload: json(6_291_456 - 100) })).resolves.toMatchObject({ StatusCode: 200 });
    await expect(invoke({ Payload: json(6_291_457) })).rejects.toMatchObject({
      name: 'RequestTooLargeException',
      $metadata: { httpStatusCode: 413 },
    });
  });

  test('a response over 6 MB is a function error', async () => {
    const output = await invoke({ Payload: Buffer.from('{"size":6300000}') });

    expect(output.FunctionError).toBe('Unhandled');
    expect(payloadOf(output)).toMatchObject({ errorType: 'Function.ResponseSizeTooLarge' });
  });

  test('another operation is refused', async () => {
    const response = await fetch(`${api.url}/2015-03-31/functions/my-stage`);

    expect(response.status).toBe(404);
  });

  test('a page in a browser may not invoke', async () => {
    const url = `${api.url}/2015-03-31/functions/my-stage/invocations`;
    const response = await fetch(url, { method: 'POST', body: '{}', headers: { origin: 'https://example.com' } });

    expect([response.status, emulator.coldStarts]).toEqual([403, 0]);
  });

  test('a port that is taken is a coded error', async () => {
    await expect(openInvokeApi({ functions: new Map(), port: api.port })).rejects.toMatchObject({ code: 'MILLRACE_PORT_IN_USE' });
  });
});

describe('Event', () => {
  test('is accepted at once and runs', async () => {
    await start();
    expect((await invoke({ InvocationType: 'Event', Payload: Buffer.from('{"id":1}') })).StatusCode).toBe(202);
    await api.close();

    expect(JSON.parse((await emulator.invoke('{"calls":true}')).payload)).toEqual([{ id: 1 }]);
  });

  test('is tried three times, then reported', async () => {
    let giveUp: (message: string | undefined) => void;
    const failed = new Promise<string | undefined>((resolve) => (giveUp = resolve));
    await start({ onAsyncFailure: (_, result) => giveUp(result.error?.errorMessage) });

    await invoke({ InvocationType: 'Event', Payload: Buffer.from('{"fail":"again"}') });

    await expect(failed).resolves.toBe('again');
    expect(JSON.parse((await emulator.invoke('{"calls":true}')).payload)).toHaveLength(3);
  });
});
