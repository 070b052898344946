import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Files in a folder of their own, which `remove` deletes. */
export class TemporaryFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'millrace-test-'));
  private files = 0;

  /** Writes a bundle by hand: CommonJS text that sets `exports.handler`. */
  bundle(source: string): string {
    const path = join(this.path, `bundle-${this.files++}.cjs`);
    writeFileSync(path, source);
    return path;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
