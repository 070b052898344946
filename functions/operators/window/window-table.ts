import type { KeyScope } from '../../state/keyed-state.ts';
import { entryKey, type Table, tableId } from '../../state/tables.ts';
import type { TaskState } from '../../state/task-state.ts';

/**
 * What an operator keeps for each window of a key, by the window's text. Values are not copied: they are never changed in place, and
 * whoever hands one to user code copies it.
 */
export class WindowTable {
  private readonly scope: KeyScope;
  private readonly id: string;
  private bound: TaskState | undefined;
  private boundTable: Table | undefined;

  constructor(scope: KeyScope, operator: string, state: string) {
    this.scope = scope;
    this.id = tableId('map', operator, state);
  }

  /** The entry of a window under the current key. */
  entry(window: string): string {
    return entryKey(this.scope.stateKey, window);
  }

  get(entry: string): unknown {
    return this.table().entries.get(entry);
  }

  set(entry: string, value: unknown): void {
    this.scope.state.set(this.table(), entry, value);
  }

  delete(entry: string): void {
    this.scope.state.delete(this.table(), entry);
  }

  private table(): Table {
    if (this.boundTable === undefined || this.bound !== this.scope.state) {
      this.bound = this.scope.state;
      this.boundTable = this.bound.table(this.id);
    }
    return this.boundTable;
  }
}
