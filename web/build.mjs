// Bundles the page into dist/: index.html, app.js, app.css, icon.svg.  No loaders at run time, nothing from elsewhere.
import { build, context } from 'esbuild';
import { cpSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, 'dist');
const budget = 250 * 1024; // bytes, uncompressed, first load
const watch = process.argv.includes('--watch');

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
for (const f of ['index.html', 'icon.svg'])
	cpSync(join(here, f), join(dist, f));

const options = {
	absWorkingDir: here,
	entryPoints: { app: 'src/ui/main.tsx' },
	outdir: dist,
	bundle: true,
	minify: !watch,
	sourcemap: watch ? 'inline' : false,
	format: 'esm',
	target: ['es2022'],
	jsx: 'automatic',
	jsxImportSource: 'preact',
	legalComments: 'none',
	logLevel: 'warning',
};

if (watch) {
	await (await context(options)).watch();
	console.log('watching');
} else {
	await build(options);
	let total = 0;
	for (const f of ['index.html', 'app.js', 'app.css', 'icon.svg']) {
		const n = statSync(join(dist, f)).size;
		total += n;
		console.log(`${String(n).padStart(8)}  dist/${f}`);
	}
	console.log(`${String(total).padStart(8)}  first load, of ${budget}`);
	if (total > budget) {
		console.error('the page is heavier than its budget');
		process.exit(1);
	}
}
