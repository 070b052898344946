import type { KeyScope } from '../../state/keyed-state.ts';
import { type Table, tableId } from '../../state/tables.ts';
import type { Session } from '../../time/windows/session-merge.ts';

/** The open sessions of the current key, as lists that are never changed in place. */
export class OpenSessions {
  private readonly scope: KeyScope;
  private readonly id: string;

  constructor(scope: KeyScope, operator: string) {
    this.scope = scope;
    this.id = tableId('value', operator, '$sessions');
  }

  get(): readonly Session[] {
    return (this.table().entries.get(this.scope.stateKey) as readonly Session[] | undefined) ?? [];
  }

  set(sessions: readonly Session[]): void {
    const { state, stateKey } = this.scope;
    const table = this.table();
    if (sessions.length === 0) state.delete(table, stateKey);
    else if (table.entries.get(stateKey) !== sessions) state.set(table, stateKey, sessions);
  }

  private table(): Table {
    return this.scope.state.table(this.id);
  }
}
