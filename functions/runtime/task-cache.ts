/**
 * What an environment keeps of its tasks between invocations: state images, sinks, generators. Whoever works on an entry takes it out:
 * one owner at a time, although a paused invocation may wake up beside the next one of the same environment. After a failure it is not
 * put back.
 */
export class TaskCache<T> {
  private readonly entries = new Map<string, T>();

  take(task: string): T | undefined {
    const entry = this.entries.get(task);
    this.entries.delete(task);
    return entry;
  }

  putBack(task: string, entry: T): void {
    this.entries.set(task, entry);
  }
}
