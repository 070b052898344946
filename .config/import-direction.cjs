/**
 * Who may import whom, as ESLint configuration: `no-restricted-imports` for declarations, `no-restricted-syntax` for `import()` and import types.
 * CommonJS, because both eslint.config.mjs and a jest test load it.
 */

/** Folders of functions/ and the others there that each may import, itself aside. */
const layers = {
  shared: [],
  graph: ['shared'],
  codec: ['shared'],
  coordination: ['shared', 'graph', 'codec'],
  state: ['shared', 'graph', 'codec', 'coordination'],
  time: ['shared', 'graph', 'codec', 'state'],
  connectors: ['shared', 'graph', 'codec', 'coordination', 'time', 'channels'],
  channels: ['shared', 'graph', 'codec', 'coordination', 'connectors'],
  // Descriptors name codecs, sources and state kinds; how they run is none of their business.
  api: ['shared', 'graph', 'codec', 'state', 'time', 'connectors'],
  operators: ['shared', 'graph', 'codec', 'state', 'time', 'connectors', 'channels', 'coordination'],
  runtime: ['shared', 'graph', 'codec', 'state', 'time', 'connectors', 'channels', 'coordination', 'operators'],
  relay: ['shared', 'graph', 'codec', 'time', 'connectors', 'channels', 'coordination'],
  // Shipped pipelines are written as a user would: against 'millrace' alone.
  pipelines: [],
};

/** Ports whose implementations (subfolders) are imported only where they are chosen. */
const ports = ['state', 'coordination', 'channels'];
const choosers = ['runtime', 'relay'];

/** Third parties, and the paths that may import them; test/ may import all. */
const thirdParties = {
  'aws-cdk-lib|constructs': ['infra/'],
  '@aws-sdk/[^/]+': ['functions/relay/invoker.ts'],
  kafkajs: ['functions/channels/kafka/', 'local/kafka/'],
  'snappyjs|aws-msk-iam-sasl-signer-js': ['functions/channels/kafka/'],
  fzstd: ['local/kafka/'],
  'node-zookeeper-client': ['functions/coordination/zookeeper/'],
  zeromq: ['functions/connectors/zeromq/', 'functions/relay/'],
  esbuild: ['infra/bundling.ts'],
  msgpackr: ['functions/codec/'],
};

/** Files of infra/ that local/ loads too: without aws-cdk-lib. */
const bundling = ['infra/bundling.ts', 'infra/stage-entry.ts', 'infra/bundle-contents.ts'];

const maxDepth = 5;

/** Matches specifiers that go up to the repository's root from a folder at `depth`, and on into one of `paths`, or anywhere. */
const fromRoot = (depth, path = '') => `^(\\./)?${'\\.\\./'.repeat(depth)}${path}`;

/** Patterns against the third parties that a file at `path` may not import. */
function thirdPartyPatterns(path) {
  return Object.entries(thirdParties)
    .filter(([name, homes]) => !homes.some((home) => path.startsWith(home)) || (name.startsWith('aws-cdk-lib') && bundling.includes(path)))
    .map(([name, homes]) => ({ regex: `^(${name})(/|$)`, message: `Import it only in ${homes.join(', ')}.` }));
}

/** The siblings that a folder of functions/ may not reach, from files `depth` folders below the root. */
function layerPattern(folder, depth, alsoAllowed = []) {
  const allowed = layers[folder].map((name) => {
    const onlyPort = ports.includes(name) && !choosers.includes(folder);
    return onlyPort ? `${name}/[^/]+$` : `${name}/`;
  });
  const targets = [`${folder}/`, ...allowed, ...alsoAllowed].join('|');
  return {
    // One level less than the root is functions/.
    regex: `${fromRoot(depth - 1)}(?!\\.\\./|${targets})`,
    message: `functions/${folder} may import ${layers[folder].join(', ') || 'no sibling folder'}${onlyPortsNote(folder)}.`,
  };
}

function onlyPortsNote(folder) {
  const hidden = choosers.includes(folder) ? [] : layers[folder].filter((name) => ports.includes(name));
  return hidden.length > 0 ? `; of ${hidden.join(', ')} the port, not an implementation` : '';
}

const outsideFunctions = (depth) => ({ regex: fromRoot(depth), message: 'functions/ imports neither infra/, local/ nor test/.' });
const ownName = { regex: '^millrace(/|$)', message: 'Only functions/pipelines/ imports the package by its name; import the file.' };

/** ESLint configuration that bans `patterns` in `files`, however they are imported. */
function ban(files, patterns) {
  const syntax = patterns.flatMap(({ regex, message }) => {
    const value = `[value=/${regex.replaceAll('/', '\\/')}/]`;
    return [
      { selector: `ImportExpression > Literal${value}`, message },
      { selector: `TSImportType Literal${value}`, message },
    ];
  });
  return { files, rules: { 'no-restricted-imports': ['error', { patterns }], 'no-restricted-syntax': ['error', ...syntax] } };
}

/** One configuration a depth, since `../` means another folder at each; later ones win. */
const eachDepth = (folder, from, patternsOf) =>
  Array.from({ length: maxDepth }, (_, below) => ban([`${folder}/${'*/'.repeat(below)}*.ts`], patternsOf(from + below)));

function functionsConfigs() {
  const root = ban(['functions/*.ts'], [outsideFunctions(1), ownName, ...thirdPartyPatterns('functions/')]);
  const folders = Object.keys(layers).flatMap((folder) =>
    eachDepth(`functions/${folder}`, 2, (depth) => functionsPatterns(folder, depth, `functions/${folder}/`)),
  );
  return [root, ...folders, ...exceptions()];
}

function functionsPatterns(folder, depth, path, alsoAllowed) {
  const names = folder === 'pipelines' ? [] : [ownName];
  return [outsideFunctions(depth), layerPattern(folder, depth, alsoAllowed), ...names, ...thirdPartyPatterns(path)];
}

/** Folders and files to which more is allowed than to their parent. */
function exceptions() {
  const homes = [...new Set(Object.values(thirdParties).flat())].filter((home) => home.startsWith('functions/')).sort();
  const homeConfigs = homes.flatMap((home) => {
    const [, folder] = home.split('/');
    const patterns = (depth) => functionsPatterns(folder, depth, home);
    return home.endsWith('/') ? eachDepth(home.slice(0, -1), home.split('/').length - 1, patterns) : [ban([home], patterns(2))];
  });
  const overCoordination = ['memory', 'zookeeper'].flatMap((name) =>
    eachDepth(`functions/state/${name}`, 3, (depth) =>
      functionsPatterns('state', depth, `functions/state/${name}/`, [`coordination/${name}/`]),
    ),
  );
  return [...homeConfigs, ...overCoordination];
}

function infraPatterns(path, depth) {
  return [
    { regex: `${fromRoot(depth)}(local|test)/`, message: 'infra/ imports neither local/ nor test/.' },
    { regex: `${fromRoot(depth)}functions/(?!graph/|shared/|index\\.ts$)`, message: 'infra/ reads functions/graph, never what runs.' },
    ...thirdPartyPatterns(path),
  ];
}

function localPatterns(depth, path = 'local/') {
  return [
    { regex: `${fromRoot(depth)}test/`, message: 'Nothing imports test/.' },
    { regex: `${fromRoot(depth)}infra/(?!bundling\\.ts$)`, message: 'Of infra/, local/ imports bundling.ts alone.' },
    ...thirdPartyPatterns(path),
  ];
}

/** Import rules of the whole repository; the later of two that match a file wins. */
module.exports = [
  ...functionsConfigs(),
  ...eachDepth('infra', 1, (depth) => infraPatterns('infra/', depth)),
  ...bundling.map((file) => ban([file], infraPatterns(file, 1))),
  ...eachDepth('local', 1, (depth) => localPatterns(depth)),
  ...eachDepth('local/kafka', 2, (depth) => localPatterns(depth, 'local/kafka/')),
];
