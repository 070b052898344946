/** The token is a presigned URL. Its signature is computed here a second time, by AWS's description of Signature Version 4 alone. */
import { createHash, createHmac } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { signIamToken } from '../../../../../functions/channels/kafka/iam-token.ts';

const CREDENTIALS = {
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  AWS_SESSION_TOKEN: 'session/+=',
};
const REGION = 'eu-central-1';
const before = { ...process.env };

beforeEach(() => {
  Object.assign(process.env, CREDENTIALS);
});
afterEach(() => {
  process.env = { ...before };
});

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
function signatureOf(url: URL, secret: string): string {
  const signed = [...url.searchParams].filter(([name]) => name !== 'X-Amz-Signature' && name !== 'User-Agent');
  const query = signed
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
  const emptyBody = createHash('sha256').update('').digest('hex');
  const request = ['GET', url.pathname, query, `host:${url.host}`, '', 'host', emptyBody].join('\n');
  const [, date = '', region = '', service = '', end = ''] = (url.searchParams.get('X-Amz-Credential') ?? '').split('/');
  const scope = [date, region, service, end].join('/');
  const hash = createHash('sha256').update(request).digest('hex');
  const text = ['AWS4-HMAC-SHA256', url.searchParams.get('X-Amz-Date'), scope, hash].join('\n');
  const key = [date, region, service, end].reduce<string | Buffer>((sofar, part) => hmac(sofar, part), `AWS4${secret}`);
  return hmac(key, text).toString('hex');
}

test('the token is a request to connect, signed for the region with the credentials at hand', async () => {
  const url = new URL(Buffer.from(await signIamToken(REGION), 'base64url').toString());

  expect(url.host).toBe(`kafka.${REGION}.amazonaws.com`);
  expect(Object.fromEntries(url.searchParams)).toMatchObject({
    Action: 'kafka-cluster:Connect',
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Expires': '900',
    'X-Amz-Security-Token': CREDENTIALS.AWS_SESSION_TOKEN,
    'X-Amz-SignedHeaders': 'host',
  });
  expect(url.searchParams.get('X-Amz-Credential')).toMatch(new RegExp(`^AKIDEXAMPLE/\\d{8}/${REGION}/kafka-cluster/aws4_request$`));
  expect(url.searchParams.get('X-Amz-Signature')).toBe(signatureOf(url, CREDENTIALS.AWS_SECRET_ACCESS_KEY));
  expect(url.searchParams.get('X-Amz-Signature')).not.toBe(signatureOf(url, 'another secret'));
});
