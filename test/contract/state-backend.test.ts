import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedStateBackend } from '../../functions/state/embedded/state-backend.ts';
import { MemoryStateBackend } from '../../functions/state/memory/memory-state-backend.ts';
import { openEmbeddedServer } from '../../local/embedded-server.ts';
import { EmbeddedLog } from '../../local/log/embedded-log.ts';
import { openStateStore } from '../../local/state-store.ts';
import { stateBackendContract } from './state-backend.ts';

stateBackendContract('memory', () => {
  const state = new MemoryStateBackend();
  return Promise.resolve({ state, close: () => state.close() });
});

stateBackendContract('state store on disk', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-test-'));
  const state = openStateStore(join(dataDir, 'state.log'));
  return Promise.resolve({
    state,
    async close() {
      await state.close();
      rmSync(dataDir, { recursive: true });
    },
  });
});

stateBackendContract('embedded, through its socket', async () => {
  const log = new EmbeddedLog();
  const server = await openEmbeddedServer(log, new MemoryStateBackend());
  const state = openEmbeddedStateBackend(server.address);
  return {
    state,
    async close() {
      await state.close();
      await server.close();
      await log.close();
    },
  };
});
