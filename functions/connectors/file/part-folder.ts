import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MillraceError } from '../../shared/errors.ts';

/** As much of a file system as parts need; each call is whole or not at all where POSIX says so. */
export interface Files {
  /** With its parents; no error if it is there. */
  makeFolder(path: string): Promise<void>;
  list(path: string): Promise<readonly string[]>;
  read(path: string): Promise<string>;
  /** Creates the file, which is not there, and resolves when its bytes are on the disk. */
  create(path: string, bytes: Uint8Array): Promise<void>;
  /** Atomic. Takes a file's place; a folder's only if that is empty. */
  rename(from: string, to: string): Promise<void>;
  /** Resolves when what was made, renamed and removed in the folder is on the disk. */
  sync(folder: string): Promise<void>;
  remove(path: string): Promise<void>;
}

export const systemFiles: Files = {
  makeFolder: async (path) => {
    await mkdir(path, { recursive: true });
  },
  list: (path) => readdir(path),
  read: (path) => readFile(path, 'utf8'),
  create: async (path, bytes) => {
    const file = await open(path, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  },
  rename: (from, to) => rename(from, to),
  sync: async (folder) => {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  remove: (path) => rm(path, { recursive: true, force: true }),
};

/** Work of all tasks on the parts of a folder; nothing in it is output. */
const WORK_FOLDER = '.millrace';
const OWNER = 'owner-';
const COMMIT = 'commit.json';
/** Attempts to own a task's work, where others do so at the same time. */
const MAX_CLAIMS = 20;

/** What a task has written: the outputs of all its input below `next`. */
export interface PartsCommit {
  /** First input offset whose outputs are in no part yet. */
  readonly next: number;
  /** Largest log time of the input below it, in ms. */
  readonly time: number;
  /** The part that was written last; perhaps it still has to be moved to where it is seen. */
  readonly part: string;
}

/**
 * One task's parts in a folder, each written once, whatever is repeated, cut anew or wakes up late. Whoever writes owns the folder of the
 * task's work: it has given it a name that nobody else knows, so an older owner finds nothing under its own, and can move nothing. What has
 * been written stands in that folder, too, in a file that is replaced at once: with it a part is written, and `next` is moved, or neither. Then
 * the part is moved to where it is seen; if its writer dies before, the next owner does that first.
 */
export class PartFolder {
  /** Undefined before the first part. */
  committed: PartsCommit | undefined;
  private readonly files: Files;
  private readonly path: string;
  private readonly own: string;

  constructor(files: Files, path: string, own: string) {
    this.files = files;
    this.path = path;
    this.own = own;
  }

  /**
   * Writes a part and moves `committed` on; resolves when all of it is on the disk, under its own name.
   *
   * @throws MILLRACE_FENCED there is a newer owner, MILLRACE_OUTPUT_UNWRITABLE; after either this one can't be used any more.
   */
  async commit(commit: PartsCommit, bytes: Uint8Array): Promise<void> {
    const { files, own, path } = this;
    try {
      await files.create(join(own, commit.part), bytes);
      await files.create(join(own, `${COMMIT}.next`), Buffer.from(JSON.stringify(commit)));
      await files.rename(join(own, `${COMMIT}.next`), join(own, COMMIT));
      await files.sync(own);
      await this.show(commit.part);
    } catch (error) {
      throw toOutputError(path, error);
    }
    this.committed = commit;
  }

  /** What the owner before has committed, and nothing else that it has left. */
  async recover(): Promise<void> {
    const { files, own } = this;
    const left = await files.list(own);
    if (left.includes(COMMIT)) this.committed = JSON.parse(await files.read(join(own, COMMIT))) as PartsCommit;
    const part = this.committed?.part;
    if (part !== undefined && left.includes(part)) await this.show(part);
    for (const name of left) if (name !== COMMIT && name !== part) await files.remove(join(own, name));
  }

  private async show(part: string): Promise<void> {
    await this.files.rename(join(this.own, part), join(this.path, part));
    await this.files.sync(this.path);
  }
}

/**
 * Takes over a task's work; from now on older owners fail.
 *
 * @param path - The folder that parts are seen in.
 * @param task - Its name among all tasks.
 * @throws MILLRACE_FENCED others do the same all the time; MILLRACE_OUTPUT_UNWRITABLE
 */
export async function claimPartFolder(path: string, task: string, files: Files = systemFiles): Promise<PartFolder> {
  const work = join(path, WORK_FOLDER, folderName(task));
  const own = join(work, OWNER + randomUUID());
  try {
    await claimWork(files, work, own);
    const folder = new PartFolder(files, path, own);
    await folder.recover();
    return folder;
  } catch (error) {
    throw toOutputError(path, error);
  }
}

/** A file system takes names of 255 bytes. */
function folderName(task: string): string {
  const name = encodeURIComponent(task);
  return name.length <= MAX_NAME ? name : `${name.slice(0, MAX_NAME - 33)}-${createHash('sha256').update(task).digest('hex').slice(0, 32)}`;
}

const MAX_NAME = 200;

/** Whether there is, or can be made, a folder that can be written to. @throws MILLRACE_OUTPUT_UNWRITABLE */
export async function checkFolder(path: string, files: Files = systemFiles): Promise<void> {
  const probe = join(path, WORK_FOLDER, randomUUID());
  try {
    await files.makeFolder(probe);
    await files.remove(probe);
  } catch (error) {
    throw toOutputError(path, error);
  }
}

/** Gives the one folder in `work` the name `own`. */
async function claimWork(files: Files, work: string, own: string): Promise<void> {
  for (let tries = 0; tries < MAX_CLAIMS; tries++) {
    try {
      const [held] = (await files.list(work)).filter((name) => name.startsWith(OWNER));
      if (held === undefined) continue; // it is being renamed
      await files.rename(join(work, held), own);
      await files.sync(work);
      return;
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      await createWork(files, work);
    }
  }
  throw new MillraceError('MILLRACE_FENCED', `others write to ${work} all the time; the batch comes again`);
}

/** Makes `work` with a first folder in it, at once: two that make it at the same time must not both have made one. */
async function createWork(files: Files, work: string): Promise<void> {
  const fresh = join(dirname(work), randomUUID());
  await files.makeFolder(join(fresh, OWNER + randomUUID()));
  try {
    await files.rename(fresh, work);
    await files.sync(dirname(work));
  } catch (error) {
    const code = codeOf(error);
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
    await files.remove(fresh);
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as { readonly code?: string } | undefined)?.code;
}

/** What is missing below an owner's name was taken over. */
function toOutputError(path: string, error: unknown): unknown {
  const code = codeOf(error);
  if (code?.startsWith('MILLRACE_')) return error;
  if (code === 'ENOENT')
    return new MillraceError('MILLRACE_FENCED', `somebody else writes to ${path} now, or has removed it`, { cause: error });
  const why = error instanceof Error ? error.message : String(error);
  return new MillraceError('MILLRACE_OUTPUT_UNWRITABLE', `${path} cannot be written to: ${why}`, { cause: error });
}
