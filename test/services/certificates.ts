import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServicesError } from './services-error.ts';

/** PEM files of a test's own authority. */
export interface Certificates {
  /** The authority that signed the other two. */
  readonly ca: string;
  /** Of `localhost` and 127.0.0.1: key, certificate and authority in one file, as Kafka wants it. */
  readonly server: string;
  readonly clientCert: string;
  readonly clientKey: string;
}

/** Makes them in `folder` with openssl, if they are not there. Valid for ten years; the keys guard nothing but tests. */
export function makeCertificates(folder: string): Certificates {
  if (!existsSync(folder)) {
    const partial = `${folder}.${process.pid}`;
    rmSync(partial, { recursive: true, force: true });
    mkdirSync(partial, { recursive: true });
    makeAll(partial);
    renameSync(partial, folder);
  }
  return certificatePaths(folder);
}

export function certificatePaths(folder: string): Certificates {
  const file = (name: string): string => join(folder, name);
  return { ca: file('ca.pem'), server: file('server-bundle.pem'), clientCert: file('client.pem'), clientKey: file('client.key') };
}

function makeAll(folder: string): void {
  openssl(folder, 'req -x509 -newkey rsa:2048 -nodes -days 3650 -keyout ca.key -out ca.pem -subj /CN=millrace-test-ca');
  makeSigned(folder, 'server', 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n');
  makeSigned(folder, 'client', 'extendedKeyUsage=clientAuth\n');
  const bundle = ['server.key', 'server.pem', 'ca.pem'].map((name) => readFileSync(join(folder, name), 'utf8')).join('');
  writeFileSync(join(folder, 'server-bundle.pem'), bundle);
}

/** A key (PKCS#8, which Kafka's PEM store asks for) and a certificate for `CN=name`. */
function makeSigned(folder: string, name: string, extensions: string): void {
  writeFileSync(join(folder, `${name}.ext`), extensions);
  openssl(folder, `req -newkey rsa:2048 -nodes -keyout ${name}.key -out ${name}.csr -subj /CN=${name}`);
  openssl(folder, `x509 -req -in ${name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -extfile ${name}.ext -out ${name}.pem`);
}

function openssl(cwd: string, args: string): void {
  const { error, status, stderr } = spawnSync('openssl', args.split(' '), { cwd, encoding: 'utf8' });
  if (error) throw new ServicesError('OPENSSL_FAILED', '`openssl` does not run, and certificates for --tls are made with it: install it');
  if (status !== 0) throw new ServicesError('OPENSSL_FAILED', `openssl ${args} ended with ${String(status)}:\n${stderr}`);
}
