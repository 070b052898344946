/**
 * The layers hold only as long as the lint rules fire: each ban is tried on a file that breaks it, and each permission on one that doesn't. The last
 * test sees to it that `npm run lint` uses these rules.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parser } from 'typescript-eslint';
import { Linter } from 'eslint';
import importDirection from '../../../.config/import-direction.cjs';

const linter = new Linter({ configType: 'flat' });

function complaints(path: string, code: string): string[] {
  const config = [{ files: ['**/*.ts'], languageOptions: { parser: parser as Linter.Parser } }, ...importDirection];
  return linter.verify(code, config, { filename: path }).map(({ ruleId, message }) => `${ruleId ?? 'fatal'}: ${message}`);
}

const forbidden: [file: string, specifier: string][] = [
  // functions/ stands alone
  ['functions/index.ts', '../infra/bundling.ts'],
  ['functions/index.ts', '../local/testing.ts'],
  ['functions/runtime/handler.ts', '../../infra/bundling.ts'],
  ['functions/runtime/handler.ts', '../../local/testing.ts'],
  ['functions/runtime/handler.ts', '../../test/helpers/clock.ts'],
  ['functions/state/memory/backend.ts', '../../../test/helpers/clock.ts'],
  ['functions/pipelines/count.ts', '../../local/testing.ts'],
  // shared ← graph ← api
  ['functions/shared/hash.ts', '../graph/names.ts'],
  ['functions/graph/names.ts', '../api/environment.ts'],
  ['functions/graph/names.ts', '../state/fence.ts'],
  ['functions/api/data-stream.ts', '../operators/map.ts'],
  ['functions/api/data-stream.ts', '../runtime/index.ts'],
  // shared ← ports ← operators ← runtime
  ['functions/codec/frame.ts', '../state/fence.ts'],
  ['functions/codec/frame.ts', '../operators/map.ts'],
  ['functions/time/watermark.ts', '../operators/map.ts'],
  ['functions/state/fence.ts', '../operators/map.ts'],
  ['functions/state/zookeeper/backend.ts', '../../runtime/commit.ts'],
  ['functions/connectors/kafka/source.ts', '../../operators/map.ts'],
  ['functions/channels/relay/writer.ts', '../../relay/queue.ts'],
  ['functions/coordination/coordination.ts', '../runtime/commit.ts'],
  ['functions/operators/map.ts', '../runtime/commit.ts'],
  ['functions/operators/map.ts', '../api/data-stream.ts'],
  ['functions/runtime/handler.ts', '../relay/queue.ts'],
  ['functions/relay/queue.ts', '../runtime/commit.ts'],
  // an implementation is imported only where it is chosen
  ['functions/operators/map.ts', '../state/memory/memory-state-backend.ts'],
  ['functions/connectors/kafka/sink.ts', '../../coordination/zookeeper/client.ts'],
  // pipelines know the package's name, the rest the files
  ['functions/pipelines/count.ts', '../api/environment.ts'],
  ['functions/operators/map.ts', 'millrace'],
  ['functions/index.ts', 'millrace/runtime'],
  // infra and local
  ['infra/app.ts', '../functions/runtime/index.ts'],
  ['infra/app.ts', '../functions/state/fence.ts'],
  ['infra/app.ts', '../local/testing.ts'],
  ['infra/app.ts', '../test/helpers/clock.ts'],
  ['local/cli.ts', '../infra/app.ts'],
  ['local/commands/dev.ts', '../../infra/pipeline-stack.ts'],
  ['local/commands/dev.ts', '../../test/helpers/clock.ts'],
  // third parties have one home each
  ['functions/runtime/handler.ts', 'esbuild'],
  ['infra/app.ts', 'esbuild'],
  ['local/cli.ts', 'esbuild'],
  ['functions/state/fence.ts', 'msgpackr'],
  ['local/cli.ts', 'msgpackr/unpack'],
  ['functions/runtime/handler.ts', '@aws-sdk/client-lambda'],
  ['functions/relay/queue.ts', '@aws-sdk/client-lambda'],
  ['infra/bundling.ts', 'aws-cdk-lib'],
  ['infra/stage-entry.ts', 'aws-cdk-lib/aws-lambda'],
  ['local/cli.ts', 'constructs'],
  ['functions/runtime/handler.ts', 'kafkajs'],
  ['functions/connectors/kafka/source.ts', 'kafkajs'],
  ['local/emulator/log.ts', 'kafkajs'],
  ['functions/state/zookeeper/backend.ts', 'node-zookeeper-client'],
  ['functions/channels/relay/writer.ts', 'zeromq'],
];

const allowed: [file: string, specifier: string][] = [
  ['functions/index.ts', './api/environment.ts'],
  ['functions/graph/names.ts', '../shared/errors.ts'],
  ['functions/graph/names.ts', './stage-plan.ts'],
  ['functions/api/data-stream.ts', '../graph/logical-graph.ts'],
  ['functions/state/fence.ts', '../codec/codec.ts'],
  ['functions/state/memory/memory-state-backend.ts', '../state-backend.ts'],
  ['functions/state/zookeeper/backend.ts', '../../coordination/zookeeper/client.ts'],
  ['functions/connectors/sink.ts', '../channels/channel-writer.ts'],
  ['functions/operators/map.ts', '../state/keyed-state.ts'],
  ['functions/operators/map.ts', 'node:crypto'],
  ['functions/runtime/handler.ts', '../operators/map.ts'],
  ['functions/runtime/adapters.ts', '../state/memory/memory-state-backend.ts'],
  ['functions/pipelines/count.ts', 'millrace'],
  ['infra/app.ts', '../functions/graph/stage-plan.ts'],
  ['infra/app.ts', './bundling.ts'],
  ['infra/app.ts', 'aws-cdk-lib'],
  ['infra/bundling.ts', 'esbuild'],
  ['local/commands/dev.ts', '../../infra/bundling.ts'],
  ['local/commands/dev.ts', '../../functions/runtime/index.ts'],
  ['local/kafka/topics.ts', 'kafkajs'],
  ['functions/codec/frame.ts', 'msgpackr'],
  ['functions/channels/kafka/client.ts', 'kafkajs'],
  ['functions/coordination/zookeeper/client.ts', 'node-zookeeper-client'],
  ['functions/relay/invoker.ts', '@aws-sdk/client-lambda'],
  ['functions/relay/queue.ts', 'zeromq'],
  ['test/unit/x.test.ts', '@aws-sdk/client-lambda'],
  ['test/unit/x.test.ts', '../../functions/runtime/index.ts'],
];

test.each(forbidden)('%s may not import %s, in any form', (file, specifier) => {
  const forms = [
    `import * as a from '${specifier}'; a();`,
    `import type { A } from '${specifier}'; const a: A = 1;`,
    `export { a } from '${specifier}';`,
    `await import('${specifier}');`,
    `type A = import('${specifier}').A;`,
  ];

  expect(forms.filter((code) => complaints(file, code).length === 0)).toEqual([]);
});

test.each(allowed)('%s may import %s', (file, specifier) => {
  const code = `import * as a from '${specifier}'; a(await import('${specifier}'));`;

  expect(complaints(file, code)).toEqual([]);
});

test('a complaint names what is allowed', () => {
  const [complaint] = complaints('functions/operators/map.ts', "import '../runtime/commit.ts';");

  expect(complaint).toMatch(/no-restricted-imports.*functions\/operators may import shared, graph/s);
});

test('every folder of functions/ has rules', () => {
  const folders = readdirSync('functions', { withFileTypes: true }).filter((entry) => entry.isDirectory());

  const lawless = folders.filter(({ name }) => !importDirection.some(({ files }) => files.includes(`functions/${name}/*.ts`)));

  expect(lawless.map(({ name }) => name)).toEqual([]);
});

test('npm run lint uses these rules', () => {
  const printed = execFileSync(
    process.execPath,
    ['node_modules/eslint/bin/eslint.js', '--config', '.config/eslint.config.mjs', '--print-config', 'functions/operators/map.ts'],
    { encoding: 'utf8' },
  );

  const used: unknown = JSON.parse(printed).rules['no-restricted-imports'];
  const ours = importDirection.findLast(({ files }) => files.includes('functions/operators/*.ts'));
  expect(used).toEqual([2, ours?.rules['no-restricted-imports'][1]]);
});
