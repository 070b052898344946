import { MillraceError } from '../../shared/errors.ts';
import { crc32c } from '../../shared/hash.ts';
import type { AppliedInput, OutputOrigin, SinkContext, SinkWriter } from '../sink.ts';
import type { LineFormat } from './line-format.ts';
import type { Files, PartFolder } from './part-folder.ts';

interface Kept {
  /** Of the input that it was made from. */
  readonly offset: number;
  readonly line: Uint8Array;
}

/** What one task writes to a folder: a part for each batch that has outputs. */
export class PartWriter<T> implements SinkWriter<T> {
  private readonly path: string;
  private readonly format: LineFormat<T>;
  private readonly context: Pick<SinkContext, 'task' | 'pipeline'>;
  private readonly files: Files | undefined;
  private kept: Kept[] = [];
  private parts: PartFolder | undefined;

  constructor(path: string, format: LineFormat<T>, context: Pick<SinkContext, 'task' | 'pipeline'>, files?: Files) {
    this.path = path;
    this.format = format;
    this.context = context;
    this.files = files;
  }

  write(value: T, _timestamp: number | undefined, { offset }: OutputOrigin): void {
    this.kept.push({ offset, line: this.format.toLine(value) });
  }

  mark(): number {
    return this.kept.length;
  }

  reset(mark: number): void {
    this.kept.length = mark;
  }

  /** Outputs of input that an earlier attempt has written are in a part already. */
  async flush(_isEnd: boolean, _onRefused: unknown, applied: AppliedInput | undefined): Promise<void> {
    if (applied === undefined)
      throw new MillraceError('MILLRACE_PLAN_MISMATCH', `a file sink writes to ${this.path} in a stage without a fence; plan it again`);
    const parts = (this.parts ??= await this.claim());
    const { committed } = parts;
    if (committed !== undefined && applied.timeBelow(committed.next) > committed.time) throw this.foreign(committed.next);
    const from = committed?.next ?? 0;
    const rest = this.kept.filter(({ offset }) => offset >= from);
    const [first] = rest;
    if (first !== undefined) {
      const { header } = this.format;
      const bytes = Buffer.concat([...(header ? [header] : []), ...rest.map(({ line }) => line)]);
      const time = Math.max(applied.lastTime, committed?.time ?? -Infinity);
      await parts.commit({ next: applied.next, time: Number.isFinite(time) ? time : 0, part: this.nameOf(first.offset) }, bytes);
    }
    this.reset(0);
  }

  /** Of the task among those of all pipelines. */
  private get id(): string {
    return `${this.context.pipeline}.${this.context.task}`;
  }

  /** Loaded here, so that it is in the bundles of pipelines that write files alone. */
  private async claim(): Promise<PartFolder> {
    const { claimPartFolder } = await import('./part-folder.ts');
    return claimPartFolder(this.path, this.id, this.files);
  }

  /** Parts of one task follow each other by name. */
  private nameOf(offset: number): string {
    const { task } = this.context;
    const [, stage = '', partition = ''] = /^([^/]+)\/.*-(\d+)@\d+$/.exec(task) ?? [];
    const number = String(offset).padStart(12, '0');
    const hash = crc32c(Buffer.from(this.id)).toString(16).padStart(8, '0');
    return `part-${stage}-${partition}-${number}-${hash}.${this.format.extension}`;
  }

  private foreign(next: number): MillraceError {
    return new MillraceError(
      'MILLRACE_OUTPUT_FOREIGN',
      `${this.path} holds what task ${this.context.task} made of its input below offset ${next} in another run, and now that input is another one: ` +
        'it would be taken for written. Give another folder, or remove this one; to go on with a run, keep its data (--data)',
    );
  }
}
