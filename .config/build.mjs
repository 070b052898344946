/** Builds dist/esm and dist/cjs from nothing. The API is declared once a format, so that each condition of `exports` carries its own types. */
import { spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { extname } from 'node:path';

const assets = new Set(['.html', '.css', '.svg', '.js', '.png', '.ico']);

function compile(project) {
  return new Promise((resolve) => {
    const tsc = spawn(process.execPath, ['node_modules/typescript/bin/tsc', '-p', project], { stdio: 'inherit' });
    tsc.on('exit', (code) => resolve(code === 0));
  });
}

rmSync('dist', { recursive: true, force: true });
const built = await Promise.all([compile('.config/tsconfig.esm.json'), compile('.config/tsconfig.cjs.json')]);
if (built.includes(false)) process.exit(1);

mkdirSync('dist/cjs', { recursive: true });
writeFileSync('dist/cjs/package.json', '{ "type": "commonjs" }\n');
if (existsSync('dist/esm/local/bin.js')) chmodSync('dist/esm/local/bin.js', 0o755);

// What the dashboard serves: files that no compiler touches, beside the code that reads them.
for (const format of ['esm', 'cjs']) {
  const isAsset = (path) => extname(path) === '' || assets.has(extname(path));
  if (existsSync('local/dashboard')) cpSync('local/dashboard', `dist/${format}/local/dashboard`, { recursive: true, filter: isAsset });
}
