import type { Files } from '../../../../../functions/connectors/file/part-folder.ts';

/** Files in memory that behave as POSIX says; `null` is a folder. A contract test holds it against the real ones. */
export class MemoryFiles implements Files {
  private readonly nodes = new Map<string, Uint8Array | null>();

  async makeFolder(path: string): Promise<void> {
    const steps = path.split('/');
    for (let i = 1; i <= steps.length; i++) {
      const folder = steps.slice(0, i).join('/');
      if (this.nodes.get(folder) instanceof Uint8Array) throw failure('ENOTDIR');
      this.nodes.set(folder, null);
    }
  }

  async list(path: string): Promise<readonly string[]> {
    if (!this.nodes.has(path)) throw failure('ENOENT');
    return this.below(path).flatMap((node) => (node.slice(path.length + 1).includes('/') ? [] : [node.slice(path.length + 1)]));
  }

  async read(path: string): Promise<string> {
    const bytes = this.nodes.get(path);
    if (!bytes) throw failure('ENOENT');
    return Buffer.from(bytes).toString();
  }

  async create(path: string, bytes: Uint8Array): Promise<void> {
    if (!this.nodes.has(parentOf(path))) throw failure('ENOENT');
    if (this.nodes.has(path)) throw failure('EEXIST');
    this.nodes.set(path, bytes);
  }

  async rename(from: string, to: string): Promise<void> {
    const node = this.nodes.get(from);
    if (node === undefined || !this.nodes.has(parentOf(to))) throw failure('ENOENT');
    if (node === null && this.below(to).length > 0) throw failure('ENOTEMPTY');
    for (const path of [from, ...this.below(from)]) {
      this.nodes.set(to + path.slice(from.length), this.nodes.get(path) ?? null);
      this.nodes.delete(path);
    }
  }

  async sync(folder: string): Promise<void> {
    if (!this.nodes.has(folder)) throw failure('ENOENT');
  }

  async remove(path: string): Promise<void> {
    for (const node of [path, ...this.below(path)]) this.nodes.delete(node);
  }

  private below(path: string): string[] {
    return [...this.nodes.keys()].filter((node) => node.startsWith(`${path}/`)).sort();
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}
