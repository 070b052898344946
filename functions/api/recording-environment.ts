import { elementsSource } from '../connectors/elements/source.ts';
import type { Source } from '../connectors/source.ts';
import { checkUid, elementsUid } from '../graph/names.ts';
import { checkParallelism } from '../graph/settings.ts';
import { MillraceError } from '../shared/errors.ts';
import type { DataSet } from './data-set.ts';
import type { DataStream } from './data-stream.ts';
import type { CollectionOptions, Environment, ParamOptions, SourceOptions } from './environment.ts';
import { RecordedDataStream } from './recorded-stream.ts';
import type { GraphRecorder } from './recorder.ts';

type Params = Readonly<Record<string, string>>;

/** The environment of one build. */
export class RecordingEnvironment implements Environment {
  private readonly recorder: GraphRecorder;
  private readonly given: Params;
  private readonly read = new Map<string, string>();

  constructor(recorder: GraphRecorder, params: Params) {
    this.recorder = recorder;
    this.given = params;
  }

  param(name: string, options: ParamOptions = {}): string {
    const value = (Object.hasOwn(this.given, name) ? this.given[name] : undefined) ?? options.default;
    if (value === undefined) {
      throw new MillraceError('MILLRACE_PARAM_MISSING', `the pipeline needs the parameter '${name}': give --param ${name}=…`);
    }
    this.read.set(name, value);
    return value;
  }

  /** The parameters that the build has read, with their values, sorted by name. */
  paramsRead(): Params {
    const entries = [...this.read].sort(([left], [right]) => (left < right ? -1 : 1));
    return Object.freeze(Object.fromEntries(entries));
  }

  fromElements<T>(...values: readonly T[]): DataStream<T> {
    return this.fromCollection(values);
  }

  fromCollection<T>(values: Iterable<T>, options: CollectionOptions<T> = {}): DataStream<T> {
    const { value, uid = elementsUid(this.recorder.count('source') + 1), ...rest } = options;
    return this.fromSource(elementsSource(values, value), { ...rest, uid });
  }

  fromSource<T>(source: Source<T>, options: SourceOptions): DataStream<T> {
    checkSource(source, options);
    const { uid, name, parallelism } = options;
    const labels = {
      ...(name !== undefined && { name }),
      ...(parallelism !== undefined && { parallelism: checkParallelism(parallelism) }),
    };
    const node = this.recorder.add({ kind: 'source', source, uid: checkUid(uid), ...labels }, []);
    return new RecordedDataStream(this.recorder, { node });
  }

  dataSet<T>(source: Source<T>, options: SourceOptions): DataSet<T> {
    return this.fromSource(source, options).toDataSet();
  }
}

/** For JavaScript users: the types demand both. */
function checkSource(source: Partial<Source<unknown>> | undefined, options: Partial<SourceOptions> | undefined): void {
  if (source?.kind !== 'topic' && source?.kind !== 'feed') {
    throw new MillraceError('MILLRACE_OPTION_INVALID', 'fromSource() needs a source, for example kafka.source({ topic, value: json() })');
  }
  if (options?.uid === undefined) {
    throw new MillraceError('MILLRACE_UID_MISSING', "fromSource() needs a uid: fromSource(source, { uid: 'orders' })");
  }
}
