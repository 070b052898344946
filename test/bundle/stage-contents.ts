import { readFileSync } from 'node:fs';
import type { BundleInput } from '../../infra/bundle-contents.ts';
import type { StageBundle } from '../../infra/bundling.ts';

/** Packages that no shipped stage holds; third-party clients come with the issues that choose them. */
const BARRED = /^(zeromq|@aws-sdk\/.*|aws-cdk-lib|constructs|esbuild|kafkajs|node-zookeeper-client)$/;

/** Millrace's folders that no stage holds. */
const BARRED_FOLDERS = /^millrace\/(dist\/(esm|cjs)\/)?(local|infra|functions\/(relay|state\/memory|state\/zookeeper))\//;

/** The adapter of stages that keep a fence. */
const STATE_CLIENT = /^millrace\/(dist\/(esm|cjs)\/)?functions\/state\/embedded\//;

/** What is in a bundle of a shipped stage and should not be, largest first. */
export function intruders(inputs: readonly BundleInput[], isFenced: boolean): string[] {
  const isBarred = ({ path, owner }: BundleInput): boolean =>
    BARRED.test(owner) || BARRED_FOLDERS.test(path) || (!isFenced && STATE_CLIENT.test(path));
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
  return Object.keys(dependencies);
}
