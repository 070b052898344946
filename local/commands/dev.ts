import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { tickFrame } from '../../functions/codec/frame-writer.ts';
import type { Sink } from '../../functions/connectors/sink.ts';
import type { FeedSource } from '../../functions/connectors/source.ts';
import { readFenceProgress } from '../../functions/runtime/fence-progress.ts';
import { ERROR_CODES, type ErrorCode, isMillraceError, MillraceError } from '../../functions/shared/errors.ts';
import { hasProcessingTimers } from '../../functions/graph/processing-timers.ts';
import { bundleStages } from '../../infra/bundling.ts';
import type { Arguments } from '../args.ts';
import { type CliIo, describeError } from '../cli.ts';
import { jsonTime } from '../describe-time.ts';
import { startHarness } from '../harness.ts';
import type { HarnessEvent, HarnessOptions } from '../harness-options.ts';
import type { HarnessReport } from '../harness-report.ts';
import { PrintLimit } from '../print-limit.ts';
import { openProgress, type Progress } from '../progress.ts';
import type { Project } from '../project.ts';
import { describeReport } from '../report.ts';
import { toJsonView } from '../inspect/json-view.ts';
import { describeCollected, describeResults } from '../results.ts';
import { checkServices, chooseServices, usesIam } from './services.ts';

/** Errors that no further attempt can mend (by the table of codes), and a record that blocks its partition: the run ends with them. */
function isFatal(code: string): code is ErrorCode {
  if (!Object.hasOwn(ERROR_CODES, code)) return false;
  return code === 'MILLRACE_RECORD_FAILED' || ERROR_CODES[code as ErrorCode][1] === 'never';
}

/** Exit code of a run that an interrupt cut short: as the shell reports SIGINT. */
const INTERRUPTED = 130;

/**
 * `millrace dev FILE`: bundles the stages and runs them until stopped or, with bounded sources, until all is drained. The first
 * interrupt drains and ends well, also while the run is being started; a second one ends at once.
 *
 * @param open - Opens the project; called once interrupts are heard.
 */
export async function runDev(open: () => Promise<Project>, args: Arguments, io: CliIo): Promise<number> {
  const isJson = args.switches.has('json');
  const out = isJson ? io.stderr : io.stdout;
  const stop = new AbortController();
  const run: DevRun = { stop, failure: undefined };
  const progress = openProgress(out, io.isTerminal && !isJson);
  io.onInterrupt(
    () => {
      progress.line('stopping: what is in flight ends first; interrupt again to end at once');
      stop.abort();
    },
    () => {
      progress.close();
      process.exit(INTERRUPTED);
    },
  );
  const outDir = await mkdtemp(join(tmpdir(), 'millrace-bundles-'));
  const removeBundles = (): void => {
    rmSync(outDir, { recursive: true, force: true });
  };
  process.once('exit', removeBundles); // an interrupt may end the process from anywhere
  const limit = new PrintLimit((line) => {
    progress.line(line);
  });
  try {
    const prepared = await unlessStopped(stop.signal, () => prepare(open, outDir, io));
    if (!prepared) {
      progress.close();
      finishUnstarted(isJson, io);
      return 0;
    }
    const { project, files } = prepared;
    const services = chooseServices(project, io, (text) => {
      progress.line(text);
    });
    const options = withServices(harnessOptions(project, files, run, progress, limit), services);
    const { report, results, collected } = await runToEnd(options, progress);
    limit.flush();
    progress.close();
    finish({ report, results, collected, failure: run.failure, isJson, io });
    return run.failure ? 1 : 0;
  } finally {
    progress.close();
    removeBundles();
    process.off('exit', removeBundles);
  }
}

interface Prepared {
  readonly project: Project;
  /** Bundles by stage. */
  readonly files: ReadonlyMap<string, string>;
}

async function prepare(open: () => Promise<Project>, outDir: string, io: CliIo): Promise<Prepared> {
  const project = await open();
  checkServices(project);
  const { file, plan } = project;
  await checkConnectors(project);
  const bundles = await bundleStages({ pipelineFile: file, plan, outDir, kafkaIam: usesIam(project, io.cwd), ...io.bundling });
  return { project, files: new Map(bundles.map((bundle) => [bundle.stage, bundle.file])) };
}

/** Undefined if the run was stopped meanwhile. What a terminal's interrupt does to esbuild's process, which gets it too, is no error. */
async function unlessStopped<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T | undefined> {
  try {
    const done = await work();
    await setImmediate(); // an interrupt that came during long synchronous work is heard now
    return signal.aborted ? undefined : done;
  } catch (error) {
    await setImmediate(); // the end of esbuild may be heard before the interrupt that ended it
    if (signal.aborted && isMillraceError(error, 'MILLRACE_BUNDLE_FAILED') && ESBUILD_ENDED.test(error.message)) return undefined;
    throw error;
  }
}

const ESBUILD_ENDED = /The service (was stopped|is no longer running)/;

async function runToEnd(options: HarnessOptions, progress: Progress): Promise<Pick<Finished, 'report' | 'results' | 'collected'>> {
  const harness = await startHarness(options);
  try {
    progress.follow(() => harness.progress());
    await harness.ended;
    await harness.drain();
    const collected = await harness.collected();
    const results = await describeResults((topic) => harness.log.contents(topic), options.plan);
    return { report: harness.progress(), results: results + describeCollected(collected), collected };
  } finally {
    await harness.close();
  }
}

interface DevRun {
  readonly stop: AbortController;
  failure: MillraceError | undefined;
}

function harnessOptions(
  project: Project,
  bundles: ReadonlyMap<string, string>,
  run: DevRun,
  progress: Progress,
  limit: PrintLimit,
): HarnessOptions {
  const { plan, config, graph } = project;
  const ticked = new Set(plan.stages.filter((stage) => hasProcessingTimers(stage, graph)).map(({ id }) => id));
  return {
    plan,
    bundles,
    feeds: feedsOf(project),
    env: { MILLRACE_DETERMINISM_EVERY: String(config.determinismEvery), MILLRACE_REPORT_KEYS: '1' },
    ...(config.data !== undefined && { dataDir: config.data }),
    invokePort: config.port,
    ...(config.concurrency !== undefined && { concurrency: config.concurrency }),
    signal: run.stop.signal,
    fenceProgress: (state, stage, topic, partition) => readFenceProgress(state, plan, stage.id, topic, partition),
    makeTick: (stage, _partition, time) => (ticked.has(stage.id) ? tickFrame('clock', time) : undefined),
    onPrint: ({ line }) => {
      limit.print(line);
    },
    onEvent: (event) => {
      onEvent(event, run, progress);
    },
  };
}

function withServices(options: HarnessOptions, services: ReturnType<typeof chooseServices>): HarnessOptions {
  return { ...options, ...services, env: { ...options.env, ...services.env } };
}

/** What is wrong with input and output from the start is told before anything is bundled. */
async function checkConnectors(project: Project): Promise<void> {
  for (const [uid, source] of feedsOf(project)) await source.check?.().catch((cause: unknown) => failRead(uid, cause));
  for (const node of project.graph.nodes) if (node.kind === 'sink') await (node.sink as Sink<unknown>).check?.();
}

function feedsOf({ graph, plan }: Project): ReadonlyMap<string, FeedSource<unknown>> {
  return new Map(
    plan.feeds.map(({ uid, node }) => {
      const found = graph.nodes[node];
      if (found?.kind !== 'source') throw new MillraceError('MILLRACE_PLAN_MISMATCH', `feed ${uid} is no source of this pipeline`);
      const source = found.source as FeedSource<unknown>;
      return [uid, { ...source, read: () => readSource(uid, source) }];
    }),
  );
}

async function* readSource(uid: string, source: FeedSource<unknown>): AsyncGenerator<readonly Uint8Array[]> {
  try {
    yield* source.read();
  } catch (cause) {
    failRead(uid, cause);
  }
}

/** What a source throws has a code and says whose it is. */
function failRead(uid: string, cause: unknown): never {
  if (isMillraceError(cause)) throw cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  throw new MillraceError('MILLRACE_INPUT_UNREADABLE', `source '${uid}' threw while it was read: ${why}`, { cause });
}

function onEvent(event: HarnessEvent, run: DevRun, progress: Progress): void {
  switch (event.kind) {
    case 'started':
      progress.line(`Invoke API on ${event.invokeUrl} (functions: ${event.functions.join(', ')})`);
      break;
    case 'feedWaits':
      progress.line(`another run of this pipeline feeds source ${event.uid}: this one waits for its turn`);
      break;
    case 'conflict':
      progress.line(
        `${event.stage}: somebody else has committed to task ${event.task} meanwhile (another run of this pipeline, or a function that was given up); ` +
          'its fence let one through, and the other begins again there',
      );
      break;
    case 'feedDone':
      progress.line(`source ${event.uid} has been fed: ${event.records.toLocaleString('en-US')} records`);
      break;
    case 'log':
      progress.line(`${event.stage}: ${event.line}`);
      break;
    case 'draining':
      progress.line('draining');
      break;
    case 'failure':
      onFailure(event, run, progress);
  }
}

/** A batch that comes again is told at once; an error that ends the run is told at its end. */
function onFailure({ stage, reason, code }: HarnessEvent & { readonly kind: 'failure' }, run: DevRun, progress: Progress): void {
  const text = `stage ${stage}: ${reason.replace(/^MillraceError: /, '')}`;
  if (code !== undefined && isFatal(code)) {
    run.failure ??= new MillraceError(code, text);
    run.stop.abort(run.failure);
  } else progress.line(`${text} (the batch will come again)`);
}

interface Finished {
  readonly report: HarnessReport;
  readonly results: string;
  /** By the names given to `collect`. */
  readonly collected: Readonly<Record<string, readonly unknown[]>>;
  readonly failure: MillraceError | undefined;
  readonly isJson: boolean;
  readonly io: CliIo;
}

function finish({ report: told, results, collected, failure, isJson, io }: Finished): void {
  const report = failure ? { ...told, ok: false } : told;
  const out = isJson ? io.stderr : io.stdout;
  out.write(`${results}\n${describeReport(report)}\n`);
  if (failure) io.stderr.write(`\n${describeError(failure, false)}`);
  if (isJson) io.stdout.write(`${JSON.stringify({ ...summarize(report, failure), ...collectedView(collected) })}\n`);
}

/** Only of a pipeline that collects. */
function collectedView(collected: Finished['collected']): object {
  return Object.keys(collected).length > 0 ? { collected: toJsonView(collected) } : {};
}

/** Of a run that was stopped before it was one. */
function finishUnstarted(isJson: boolean, io: CliIo): void {
  (isJson ? io.stderr : io.stdout).write('stopped before the start\n');
  const nothing = { finished: false, records: 0, seconds: 0, recordsPerSecond: 0, retries: 0, deadLetters: 0, latencyMs: null, hops: [] };
  if (isJson) io.stdout.write(`${JSON.stringify({ pipeline: null, ok: true, ...nothing })}\n`);
}

/** The one line of `--json`. */
function summarize(report: HarnessReport, failure: MillraceError | undefined): object {
  const { hops, records, seconds, recordsPerSecond, deadLetters, latencyMs, finished, ok } = report;
  return {
    pipeline: report.pipeline,
    ok,
    ...(failure && { error: { code: failure.code, message: failure.message } }),
    finished,
    records,
    seconds,
    recordsPerSecond: Math.round(recordsPerSecond),
    retries: hops.reduce((sum, hop) => sum + hop.retries + hop.recordRetries, 0),
    deadLetters,
    latencyMs: latencyMs ?? null,
    hops: hops.map(({ topics, watermark, ...hop }) => ({ ...hop, watermark: jsonTime(watermark), topics })),
  };
}
