// Bundles each test with what it tests and runs them with node's own runner; prints TAP.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const out = mkdtempSync(join(tmpdir(), 'weft-web-test-'));
const tests = readdirSync(here).filter(f => f.endsWith('.test.ts'));
await build({
	entryPoints: tests.map(f => join(here, f)), outdir: out, outExtension: { '.js': '.mjs' }, bundle: true, platform: 'node', format: 'esm',
	external: ['node:*'], logLevel: 'warning', sourcemap: 'inline',
});
const r = spawnSync(process.execPath, ['--enable-source-maps', '--test', '--test-reporter=tap', ...tests.map(f => join(out, f.replace(/\.ts$/, '.mjs')))], { stdio: 'inherit' });
rmSync(out, { recursive: true, force: true });
process.exit(r.status ?? 1);
