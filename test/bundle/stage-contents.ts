import { readFileSync } from 'node:fs';
import type { BundleInput } from '../../infra/bundle-contents.ts';
import type { StageBundle } from '../../infra/bundling.ts';

/** Packages that no shipped stage holds. */
const BARRED = /^(zeromq|@aws-sdk\/.*|aws-cdk-lib|constructs|esbuild)$/;

/** Third parties' clients: of the log, and of the state store that only stages with a fence use. */
const LOG_CLIENT = ['kafkajs'];
const STATE_CLIENT = ['node-zookeeper-client', 'async', 'underscore'];

/** Millrace's folders that no stage holds. */
const BARRED_FOLDERS = /^millrace\/(dist\/(esm|cjs)\/)?(local|infra|functions\/(relay|state\/memory|coordination\/memory))\//;

/** The adapters of stages that keep a fence. */
const STATE_ADAPTERS = /^millrace\/(dist\/(esm|cjs)\/)?functions\/(state\/embedded|state\/zookeeper|coordination)\//;

/** What is in a bundle of a shipped stage and should not be, largest first. */
export function intruders(inputs: readonly BundleInput[], isFenced: boolean): string[] {
  const isBarred = ({ path, owner }: BundleInput): boolean =>
    BARRED.test(owner) || BARRED_FOLDERS.test(path) || (!isFenced && (STATE_ADAPTERS.test(path) || STATE_CLIENT.includes(owner)));
  return inputs.filter((input) => input.bytes > 0 && isBarred(input)).map(({ path }) => path);
}

/** Bytes of a bundle that are neither the user's nor a third-party client's; what joins the modules counts as Millrace's. */
export function millraceBytes({ bytes, inputs }: Pick<StageBundle, 'bytes' | 'inputs'>, helpers = dependencies()): number {
  const others = inputs.filter(({ owner }) => owner !== 'millrace' && !helpers.includes(owner));
  return bytes - others.reduce((sum, input) => sum + input.bytes, 0);
}

/** What Millrace is built on: in a stage, part of what it adds. */
function dependencies(): string[] {
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly dependencies: Readonly<Record<string, string>> };
  return Object.keys(dependencies).filter((name) => ![...LOG_CLIENT, ...STATE_CLIENT].includes(name));
}
