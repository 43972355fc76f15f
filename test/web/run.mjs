// The viewer in Chromium: prints TAP.
//
//     node test/web/run.mjs [--weft=PATH] [--only=WORD] [--shots=DIR]
//
// A real trace comes from the `weft` that was built; states that are hard to come by (reading, damage, errors) from the
// server in web/dev/mock.mjs.  Nothing here sleeps for the picture to be done: it waits for what the page says of itself.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { answersTests } from './answers.mjs';
import { readPng } from './png.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const require = createRequire(join(root, 'web', 'package.json'));
const { chromium } = require('playwright-core');
const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const { mock } = await import(join(root, 'web', 'dev', 'mock.mjs'));

const arg = (name, or) => process.argv.find(a => a.startsWith(`--${name}=`))?.slice(name.length + 3) ?? or;
const weftPath = arg('weft', process.env.WEFT ?? join(root, 'build', 'weft'));
const only = arg('only', '');
const shots = arg('shots', '');
const corpus = name => join(root, 'test', 'data', 'traces', `${name}.trace.zst`);
const trace = corpus('go1.26-httpload-gens');
const flags = ['--no-sandbox', '--disable-dev-shm-usage'];
const glFlags = ['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'];

// ---- TAP ----

const tests = [];
const test = (name, f) => tests.push({ name, f });
let number = 0;
let failed = 0;

function ok(value, message) {
	if (!value)
		throw new Error(message);
}

function equal(a, b, message) {
	if (a !== b)
		throw new Error(`${message}: ${JSON.stringify(a)}, expected ${JSON.stringify(b)}`);
}

async function runAll() {
	const list = tests.filter(t => t.name.includes(only));
	console.log(`1..${list.length}`);
	for (const t of list) {
		const start = Date.now();
		let error = null;
		try {
			await t.f();
		} catch (e) {
			error = e;
		}
		number++;
		console.log(`${error ? 'not ok' : 'ok'} ${number} - ${t.name}`);
		console.log(`  # ${Date.now() - start} ms`);
		if (error) {
			failed++;
			console.log(String(error.stack ?? error).split('\n').slice(0, 8).map(l => `  # ${l}`).join('\n'));
		}
	}
}

// ---- servers and pages ----

/** A trace in which two goroutines wait for each other. */
function locks() {
	const file = join(mkdtempSync(join(tmpdir(), 'weft-web-')), 'locks.trace');
	execFileSync(weftPath, ['assemble', join(root, 'test', 'golden', 'traces', 'waits.txt'), '-o', file]);
	return file;
}

function startWeft(file) {
	return new Promise((yes, no) => {
		const p = spawn(weftPath, ['view', '--no-browser', '--http=127.0.0.1:0', file], { stdio: ['ignore', 'pipe', 'pipe'] });
		let text = '';
		const seen = chunk => {
			text += chunk;
			const m = /listening on (http:\/\/\S+)/.exec(text);
			if (m)
				yes({ url: m[1].replace(/\/?$/, '/'), stop: () => p.kill() });
		};
		p.stdout.on('data', seen);
		p.stderr.on('data', seen);
		p.on('error', no);
		p.on('exit', code => no(new Error(`weft ended with ${code}: ${text}`)));
	});
}

async function startMock(options) {
	const server = mock({ goroutines: 900, ...options });
	await new Promise(r => server.listen(0, '127.0.0.1', r));
	return { url: `http://127.0.0.1:${server.address().port}/`, stop: () => server.close() };
}

const stops = [];
let browser;
let weft;
let shared;

/** What a page complained of: console errors, exceptions, violations of the policy, requests to elsewhere. */
async function open(url, options = {}) {
	const { viewport = { width: 1100, height: 700 }, in: b = browser, wait = true, complaints = [], ...rest } = options;
	const context = await b.newContext({ viewport, ...rest });
	const page = await context.newPage();
	page.complaints = complaints;
	page.weight = 0;
	page.on('console', m => ['error', 'warning'].includes(m.type()) && !/GPU stall|GL Driver Message/.test(m.text()) && complaints.push(`${m.type()}: ${m.text()}`));
	page.on('pageerror', e => complaints.push(`exception: ${e.message}`));
	page.on('request', r => !r.url().startsWith(new URL(url).origin) && complaints.push(`request: ${r.url()}`));
	await page.addInitScript(() => {
		window.addEventListener('securitypolicyviolation', e => console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`));
	});
	await page.goto(url);
	if (wait)
		await drawn(page);
	return page;
}

const drawn = page => page.waitForFunction(() => performance.getEntriesByName('weft:drawn').length > 0, undefined, { polling: 40, timeout: 30000 });
/** All tiles of the present view are here and drawn, and nothing moves. */
const settled = page => page.waitForFunction(() => window.weft.still, undefined, { polling: 25, timeout: 30000 });
const view = page => page.evaluate(() => window.weft.view);
const lanesBox = async page => page.locator('.lanes').boundingBox();

async function picture(page) {
	const box = await lanesBox(page);
	return readPng(await page.screenshot({ clip: box }));
}

/** How many px of the lanes are not the ground (the commonest colour), in thousandths. */
function inked(png) {
	const seen = new Map();
	for (let y = 0; y < png.height; y += 2)
		for (let x = 0; x < png.width; x += 2) {
			const k = png.at(x, y).join();
			seen.set(k, (seen.get(k) ?? 0) + 1);
		}
	const all = [...seen.values()].reduce((a, b) => a + b, 0);
	return { ink: Math.round(1000 * (1 - Math.max(...seen.values()) / all)), colours: seen.size, ground: [...seen].sort((a, b) => b[1] - a[1])[0][0].split(',').map(Number) };
}

function different(a, b) {
	let n = 0;
	let all = 0;
	for (let y = 0; y < Math.min(a.height, b.height); y += 2)
		for (let x = 0; x < Math.min(a.width, b.width); x += 2) {
			const p = a.at(x, y);
			const q = b.at(x, y);
			all++;
			if (Math.abs(p[0] - q[0]) + Math.abs(p[1] - q[1]) + Math.abs(p[2] - q[2]) > 30)
				n++;
		}
	return Math.round((1000 * n) / all);
}

async function axe(page, what) {
	await page.evaluate(axeSource);
	const found = await page.evaluate(async () => (await window.axe.run(document, { resultTypes: ['violations'] })).violations
		.map(v => ({ id: v.id, impact: v.impact, nodes: v.nodes.map(n => `${n.html.slice(0, 140)} ${n.any[0]?.message ?? ''}`).slice(0, 3) })));
	const bad = found.filter(v => v.impact === 'serious' || v.impact === 'critical');
	ok(bad.length === 0, `${what}: ${JSON.stringify(bad, null, 1)}`);
}

const shot = async (page, name) => shots && page.screenshot({ path: join(shots, `${name}.png`) });
const reset = async page => {
	await page.keyboard.press('Escape');
	await page.keyboard.press('Escape');
	await page.keyboard.press('Escape');
	await page.keyboard.press('Escape');
	await page.mouse.move(640, 5);
	await page.keyboard.press('0');
	await page.locator('.scroller').evaluate(el => { el.scrollTop = 0; });
	await settled(page);
};

/** Where a span of a lane is on screen: of the lane's row, in the middle of the part that is seen. */
async function place(page, rowText, t) {
	const row = page.locator('.name', { hasText: rowText }).first();
	const r = await row.boundingBox();
	const box = await lanesBox(page);
	const v = await view(page);
	return { x: box.x + (t - v.t0) / v.scale, y: r.y + r.height / 2 };
}

const api = (page, path) => page.evaluate(async p => (await fetch(p)).json(), path);

// ---- tests ----

test('the demo trace draws with WebGL2: lanes, many colours, all tiles', async () => {
	await settled(shared);
	equal(await shared.evaluate(() => window.weft.painter), 'webgl2', 'painter');
	const n = inked(await picture(shared));
	ok(n.ink > 100, `only ${n.ink} of 1000 px differ from the ground`);
	ok(n.colours > 20, `only ${n.colours} colours`);
	ok(await shared.evaluate(() => window.weft.runs) > 300, 'few runs were drawn');
	await shot(shared, 'whole');
});

test('first load stays under 250 KiB', async () => {
	const n = await shared.evaluate(() => performance.getEntriesByType('resource').filter(r => !r.name.includes('/api/')).reduce((a, r) => a + r.decodedBodySize, 0)
		+ performance.getEntriesByType('navigation')[0].decodedBodySize);
	ok(n > 20000 && n <= 250 * 1024, `${n} bytes`);
});

test('names are real elements: groups with counts, procs, GC and STW', async () => {
	const rows = await shared.locator('.names [role=treeitem]').allInnerTexts();
	for (const want of ['GC mark', 'Stop the world', 'Procs', 'P0', 'Threads', 'Goroutines', 'main.client'])
		ok(rows.some(r => r.includes(want)), `${want} is not among ${rows.join(' | ')}`);
});

test('Ctrl and wheel zoom at the cursor; what is seen changes', async () => {
	await reset(shared);
	const before = await picture(shared);
	const box = await lanesBox(shared);
	const v0 = await view(shared);
	const px = 400;
	await shared.mouse.move(box.x + px, box.y + 80);
	await shared.keyboard.down('Control');
	for (let i = 0; i < 4; i++)
		await shared.mouse.wheel(0, -120);
	await shared.keyboard.up('Control');
	await settled(shared);
	const v1 = await view(shared);
	ok(v1.scale < v0.scale / 2, `scale went from ${v0.scale} to ${v1.scale}`);
	const t0 = v0.t0 + px * v0.scale;
	ok(Math.abs(v1.t0 + px * v1.scale - t0) < v1.scale, 'the time under the cursor moved');
	ok(different(before, await picture(shared)) > 50, 'the picture is the same');
});

test('the wheel over the axis zooms, with Shift it pans', async () => {
	await reset(shared);
	const axisBox = await shared.locator('.header').boundingBox();
	await shared.mouse.move(axisBox.x + 500, axisBox.y + 12);
	await shared.mouse.wheel(0, -240);
	await settled(shared);
	const v1 = await view(shared);
	await shared.keyboard.down('Shift');
	await shared.mouse.wheel(0, 120);
	await shared.keyboard.up('Shift');
	await settled(shared);
	const v2 = await view(shared);
	equal(v2.scale, v1.scale, 'scale');
	ok(v2.t0 > v1.t0, 'it did not pan');
});

test('the wheel over the lanes scrolls them when there are more than fit', async () => {
	await reset(shared);
	const v0 = await view(shared);
	const first = await shared.locator('.names [role=treeitem]').first().innerText();
	const box = await lanesBox(shared);
	await shared.mouse.move(box.x + 300, box.y + 200);
	await shared.mouse.wheel(0, 120);
	await settled(shared);
	equal((await view(shared)).scale, v0.scale, 'scale');
	ok(await shared.locator('.names [role=treeitem]').first().innerText() !== first, 'the rows did not move');
});

test('W A S D zoom and pan while they are held; 0, Home and End jump', async () => {
	await reset(shared);
	const v0 = await view(shared);
	await shared.keyboard.down('w');
	await shared.waitForFunction(s => window.weft.view.scale < s / 3, v0.scale, { polling: 30 });
	await shared.keyboard.up('w');
	await settled(shared);
	const v1 = await view(shared);
	await shared.keyboard.down('d');
	await shared.waitForFunction(t => window.weft.view.t0 > t, v1.t0, { polling: 30 });
	await shared.keyboard.up('d');
	await settled(shared);
	const v2 = await view(shared);
	await shared.keyboard.press('a');
	await settled(shared);
	ok((await view(shared)).t0 < v2.t0, 'A did not pan back');
	await shared.keyboard.press('Home');
	await settled(shared);
	ok((await view(shared)).t0 <= 0, 'Home is not the start');
	await shared.keyboard.press('End');
	await settled(shared);
	const info = await api(shared, 'api/info');
	const box = await lanesBox(shared);
	const v3 = await view(shared);
	ok(v3.t0 + v3.scale * box.width >= info.duration_ns, 'End is not the end');
	await shared.keyboard.press('s');
	await settled(shared);
	ok((await view(shared)).scale > v3.scale, 'S did not zoom out');
	await shared.keyboard.press('0');
	await settled(shared);
	ok(Math.abs((await view(shared)).scale - v0.scale) < 1e-6 * v0.scale, '0 is not the whole trace');
	await shared.keyboard.press('Control+z');
	await settled(shared);
	ok((await view(shared)).scale < v0.scale, 'Ctrl+Z did not go back');
});

test('dragging pans; dragging along the axis selects a range with its numbers', async () => {
	await reset(shared);
	const axisBox = await shared.locator('.header').boundingBox();
	await shared.mouse.move(axisBox.x + 300, axisBox.y + 12);
	await shared.mouse.down();
	await shared.mouse.move(axisBox.x + 500, axisBox.y + 12, { steps: 3 });
	await shared.mouse.up();
	await shared.locator('.times').waitFor();
	const text = await shared.locator('.drawer-body').innerText();
	const ms = /Range\s+([\d.]+) ms/.exec(text)?.[1];
	ok(Math.abs(ms * 1e6 / (200 * (await view(shared)).scale) - 1) < 0.02, text);
	ok(/running/.test(text) && /%/.test(text), text);
	const before = await view(shared);
	await shared.keyboard.press('f');
	await settled(shared);
	const zoomed = await view(shared);
	ok(zoomed.scale < before.scale / 3, 'F did not fit the range');
	const box = await lanesBox(shared);
	await shared.mouse.move(box.x + 500, box.y + 60);
	await shared.mouse.down();
	await shared.mouse.move(box.x + 400, box.y + 60, { steps: 3 });
	await shared.mouse.up();
	await settled(shared);
	const v = await view(shared);
	ok(Math.abs(v.t0 - zoomed.t0 - 100 * v.scale) < 2 * v.scale, `panned by ${(v.t0 - zoomed.t0) / v.scale} px, not 100`);
	await reset(shared);
});

test('a click shows the span: state, duration, goroutine, proc, stack, who woke it; its link goes there', async () => {
	await reset(shared);
	// A long wait to run of a goroutine of its own row that somebody woke.
	let found = null;
	for (const g of (await api(shared, 'api/info')).groups.filter(x => x.n === 1)) {
		const lane = (await api(shared, `api/lanes?group=${g.group}&from=0&n=1`)).lanes[0];
		let at = await api(shared, `api/step?lane=${lane.lane}&t=${lane.create_ns ?? 0}&dir=1`);
		for (let i = 0; i < 60 && at.span !== null; i++) {
			if (at.class === 'runnable' && at.waker?.g && at.end_ns - at.start_ns > 150000) {
				found = found ?? at;
				break;
			}
			at = await api(shared, `api/step?lane=${lane.lane}&t=${at.start_ns}&dir=1`);
		}
		if (found)
			break;
	}
	ok(found, 'the trace has no such span');
	const p = await place(shared, found.lane.replace(/^g/, 'g'), (found.start_ns + found.end_ns) / 2);
	await shared.mouse.click(p.x, p.y);
	await shared.locator('.facts h2').waitFor();
	await shared.waitForFunction(t => document.querySelector('.drawer-body').innerText.includes(t), found.g_name.split('/').pop(), { polling: 30 });
	const text = await shared.locator('.drawer-body').innerText();
	ok(/Runnable\s+\d/.test(text), text);
	ok(text.includes(found.lane), text);
	ok(/Woken by|Created by/i.test(text) && text.includes(`g${found.waker.g}`), text);
	ok((await shared.locator('[aria-live]').innerText()).includes(found.lane), 'nothing was said');
	await shot(shared, 'selected');
	await axe(shared, 'with details');
	await shared.context().grantPermissions(['clipboard-read', 'clipboard-write']);
	await shared.getByRole('button', { name: 'Copy the stack' }).first().click();
	await shared.locator('.told', { hasText: 'Stack copied' }).waitFor();
	ok(/\(\.\.\.\)\n\t.+:\d+\n/.test(await shared.evaluate(() => navigator.clipboard.readText())), 'the clipboard has no stack');
	const goThere = shared.locator('.waker .link').first();
	await goThere.click();
	await shared.waitForFunction(g => window.weft.selection?.lane === `g${g}`, found.waker.g, { polling: 30 });
	await settled(shared);
	ok((await shared.locator('.name-current').innerText()).includes(`g${found.waker.g}`), 'its row is not the current one');
	// ] goes back only along the way that [ went.
	await shared.keyboard.press('Escape');
});

test('[ goes to the waker and ] back', async () => {
	await reset(shared);
	await shared.evaluate(() => { location.hash = ''; });
	const hit = (await api(shared, 'api/search?q=main.main&n=5')).hits[0];
	let at = await api(shared, `api/step?lane=${hit.lane}&t=0&dir=1`);
	while (at.span !== null && !(at.class === 'runnable' && at.waker?.g))
		at = await api(shared, `api/step?lane=${hit.lane}&t=${at.start_ns}&dir=1`);
	ok(at.waker, 'main.main was never woken');
	await shared.evaluate(([lane, t]) => { location.hash = `#sel=${lane}@${t / 1e9}s`; }, [hit.lane, at.start_ns]);
	await shared.waitForFunction(l => window.weft.selection?.lane === l, hit.lane, { polling: 30 });
	await shared.keyboard.press('[');
	await shared.waitForFunction(g => window.weft.selection?.lane === `g${g}`, at.waker.g, { polling: 30 });
	await shared.keyboard.press(']');
	await shared.waitForFunction(l => window.weft.selection?.lane === l, hit.lane, { polling: 30 });
});

test('search finds by function and by number; Enter jumps there and lights it up', async () => {
	await reset(shared);
	await shared.keyboard.press('/');
	await shared.keyboard.type('connReader');
	await shared.locator('.hit', { hasText: 'backgroundRead' }).first().waitFor();
	await shared.waitForFunction(() => document.querySelectorAll('.hits .hit').length > 5, undefined, { polling: 30 });
	await shot(shared, 'search');
	await axe(shared, 'with results');
	await shared.keyboard.press('Enter');
	await shared.waitForFunction(() => /^g\d+/.test(document.querySelector('.name-current')?.innerText ?? ''), undefined, { polling: 30 });
	const first = await shared.locator('.name-current').innerText();
	ok(await shared.locator('.name-flash').count() === 1, 'it is not lit up');
	await shared.keyboard.press('Enter');
	await shared.waitForFunction(t => document.querySelector('.name-current')?.innerText !== t, first, { polling: 30 });
	await shared.keyboard.press('Escape');
	await shared.keyboard.press('Escape');
	await shared.keyboard.press('/');
	await shared.keyboard.type('g1');
	await shared.locator('.hit .gid', { hasText: /^g1$/ }).waitFor();
	await shared.locator('.hit', { hasText: 'main.main' }).first().click();
	await shared.waitForFunction(() => document.querySelector('.name-current')?.innerText.startsWith('g1'), undefined, { polling: 30 });
	await shared.keyboard.press('/');
	await shared.keyboard.type('zzzznothing');
	await shared.locator('.hit-none', { hasText: 'Nothing is called' }).waitFor();
	// A function that no goroutine begins with is found on stacks.
	await shared.locator('#search').fill('chanrecv');
	await shared.locator('.hit', { hasText: 'on the stack' }).click();
	await shared.getByRole('tab', { name: 'Profiles', selected: true }).waitFor();
	await shared.locator('.cell-call', { hasText: 'chanrecv' }).first().waitFor();
	await shared.locator('.filter').fill('');
	await shared.keyboard.press('Enter');
	await shared.evaluate(() => document.activeElement.blur());
	await reset(shared);
});

test('the keyboard alone: open a group, walk its lanes and spans, details, help, commands', async () => {
	const page = await open(weft.url); // its groups are as at the start
	await page.locator('.names').focus();
	await page.keyboard.press('Control+Home');
	const current = () => page.evaluate(() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(() => r(document.querySelector('.name-current')?.innerText ?? '')))));
	for (let i = 0; i < 20 && !(await current()).includes('main.client'); i++)
		await page.keyboard.press('ArrowDown');
	ok((await current()).includes('main.client'), 'the group was not reached');
	const rows = await page.locator('.names [role=treeitem][aria-level="2"]').count();
	await page.keyboard.press('ArrowRight');
	await page.waitForFunction(n => document.querySelectorAll('.names [aria-level="2"]').length > n, rows, { polling: 30 });
	await page.keyboard.press('ArrowDown');
	await page.waitForFunction(() => /^g\d/.test(document.querySelector('.name-current')?.innerText ?? ''), undefined, { polling: 30 });
	await page.locator('.overlay').focus();
	await page.keyboard.press('ArrowRight');
	await page.locator('.facts h2').waitFor();
	const one = await page.evaluate(() => window.weft.selection?.span.start_ns);
	await page.keyboard.press('ArrowRight');
	await page.waitForFunction(t => window.weft.selection?.span.start_ns > t, one, { polling: 30 });
	await page.keyboard.press('ArrowLeft');
	await page.waitForFunction(t => window.weft.selection?.span.start_ns === t, one, { polling: 30 });
	await page.keyboard.press('q');
	await page.locator('.drawer').waitFor({ state: 'detached' });
	await page.keyboard.press('Shift+?');
	await page.locator('dialog.help').waitFor();
	ok(await page.locator('dialog kbd').count() > 25, 'few keys are listed');
	await shot(page, 'help');
	await axe(page, 'with help');
	await page.keyboard.press('Escape');
	await page.locator('dialog.help').waitFor({ state: 'detached' });
	await page.keyboard.press('Control+k');
	await page.keyboard.type('lower');
	await page.locator('.hit', { hasText: 'Lower lanes' }).waitFor();
	await page.locator('.scroller').evaluate(el => { el.scrollTop = 0; }); // details have moved the row up
	const h = (await page.locator('.name', { hasText: 'P0' }).first().boundingBox()).height;
	await page.keyboard.press('Enter');
	await page.waitForFunction(x => [...document.querySelectorAll('.name')].some(e => e.getBoundingClientRect().height < x), h, { polling: 30 });
	equal(page.complaints.join('; '), '', 'complaints');
	await page.context().close();
});

test('every control is reached with Tab, and shows it', async () => {
	await shared.evaluate(() => document.activeElement?.blur());
	const seen = new Set();
	for (let i = 0; i < 40; i++) {
		await shared.keyboard.press('Tab');
		seen.add(await shared.evaluate(() => {
			const e = document.activeElement;
			const outline = e && (getComputedStyle(e).outlineStyle !== 'none' || getComputedStyle(e.parentElement).boxShadow !== 'none');
			return `${e?.getAttribute('aria-label') ?? e?.textContent?.trim()}${outline ? '' : ' (no outline)'}`;
		}));
	}
	for (const want of ['Search goroutines, functions and messages', 'Zoom in', 'Whole trace', 'Keys and mouse', 'Lanes', 'Width of the names', 'Timeline of lanes'])
		ok(seen.has(want), `${want} is not among ${[...seen].join(', ')}`);
});

test('letters typed into the search field are no commands, and single keys can be switched off', async () => {
	await reset(shared);
	const v0 = await view(shared);
	await shared.keyboard.press('/');
	await shared.keyboard.type('wsadq');
	await shared.keyboard.press('Escape');
	await shared.keyboard.press('Escape');
	const v1 = await view(shared);
	equal(v1.scale, v0.scale, 'scale');
	await shared.keyboard.press('Shift+?');
	await shared.locator('.help-foot input').uncheck();
	await shared.keyboard.press('Escape');
	await shared.keyboard.press('q');
	equal(await shared.locator('.drawer').count(), 0, 'drawers');
	await shared.locator('[aria-label="Keys and mouse"]').click();
	await shared.locator('.help-foot input').check();
	await shared.keyboard.press('Escape');
});

test('a page at rest draws nothing', async () => {
	await reset(shared);
	await settled(shared);
	const f = await shared.evaluate(() => window.weft.frames);
	await shared.waitForTimeout(400);
	equal(await shared.evaluate(() => window.weft.frames), f, 'frames');
});

test('a link shows the same view and selection again', async () => {
	await reset(shared);
	const box = await lanesBox(shared);
	await shared.mouse.move(box.x + 300, box.y + 80);
	await shared.keyboard.press('w');
	await settled(shared);
	await shared.waitForFunction(() => location.hash.includes('t='), undefined, { polling: 50 });
	const v = await view(shared);
	const again = await open(shared.url());
	const w = await view(again);
	ok(Math.abs(w.t0 - v.t0) <= 2 && Math.abs(w.scale - v.scale) < v.scale * 1e-3, `${JSON.stringify(w)} is not ${JSON.stringify(v)}`);
	equal(again.complaints.join('; '), '', 'complaints');
	await again.context().close();
});

test('the address holds drawer, range and filter; Back and Forward go between places', async () => {
	const page = await open(`${weft.url}#range=1ms..3ms&tab=profile&kind=sync&of=range&filter=fn%3Amain`);
	await page.waitForFunction(() => /--range=1000000ns..3000000ns --filter=fn:main/.test(document.querySelector('.terminal')?.textContent), undefined, { polling: 30 });
	equal(await page.getByLabel('Profile', { exact: true }).inputValue(), 'sync', 'profile');
	ok(await page.getByRole('radio', { name: 'Range 2 ms' }).isChecked(), 'the answer is not about the range');
	const whole = (await view(page)).scale;
	await page.locator('.overlay').focus();
	await page.keyboard.press('f');
	await page.waitForFunction(() => /^#t=.*range=.*tab=profile/.test(location.hash), undefined, { polling: 30 });
	const near = (await view(page)).scale;
	ok(near < whole / 2, 'F did not fit the range');
	await page.keyboard.press('l');
	await page.waitForFunction(() => /tab=latency/.test(location.hash), undefined, { polling: 30 });
	await page.goBack();
	await page.getByRole('tab', { name: 'Profiles', selected: true }).waitFor();
	await page.goBack();
	await page.waitForFunction(s => Math.abs(window.weft.view.scale / s - 1) < 1e-6, whole, { polling: 30 });
	await page.goForward();
	await page.waitForFunction(s => Math.abs(window.weft.view.scale / s - 1) < 1e-3, near, { polling: 30 });
	equal(page.complaints.join('; '), '', 'complaints');
	await page.context().close();
});

test('a pinned row stays at the top, can be asked like any other, and is in the address', async () => {
	const hit = (await api(shared, 'api/search?q=main.main&n=1')).hits[0];
	const page = await open(`${weft.url}#sel=${hit.lane}`);
	const pinned = page.locator('.name-pinned');
	await page.locator('.name-current', { hasText: hit.lane }).waitFor();
	await page.keyboard.press('Shift+P');
	await pinned.filter({ hasText: 'main.main' }).waitFor();
	await page.locator('.name', { hasText: 'P0' }).first().hover();
	await page.getByRole('button', { name: 'Pin p0 at the top' }).click();
	await page.locator('.scroller').evaluate(el => { el.scrollTop = 1e6; });
	await settled(page);
	equal(await pinned.count(), 2, 'pinned rows');
	const box = await lanesBox(page);
	const at = await pinned.first().boundingBox();
	ok(Math.abs(at.y - box.y) < 2, `it is at ${at.y}, the lanes begin at ${box.y}`);
	const below = readPng(await page.screenshot({ clip: { ...box, height: 40 } }));
	ok(inked(below).colours > 4, 'nothing is drawn there');
	await page.mouse.click(box.x + 500, at.y + at.height / 2);
	await page.waitForFunction(l => window.weft.selection?.lane === l, hit.lane, { polling: 30 });
	await axe(page, 'with pinned rows');
	await page.waitForFunction(l => location.hash.includes(`pin=${l},p0`), hit.lane, { polling: 30 });
	const again = await open(`${weft.url}#pin=g999999,p0,${hit.lane},p77`); // two that the trace does not have
	await again.locator('.name-pinned', { hasText: 'main.main' }).waitFor();
	equal(await again.locator('.name-pinned').count(), 2, 'pinned rows of a link');
	await settled(again);
	await again.getByRole('button', { name: 'Let p0 go' }).first().click();
	await again.waitForFunction(() => document.querySelectorAll('.name-pinned').length === 1, undefined, { polling: 30 });
	equal([...page.complaints, ...again.complaints].join('; '), '', 'complaints');
	await page.context().close();
	await again.context().close();
});

test('dark: as the system says, and by the button', async () => {
	const page = await open(weft.url, { colorScheme: 'dark' });
	await settled(page);
	const dark = inked(await picture(page));
	ok(Math.max(...dark.ground) < 60, `the ground is ${dark.ground}`);
	ok(dark.ink > 100, `only ${dark.ink} of 1000 px`);
	await shot(page, 'dark');
	await axe(page, 'dark');
	await page.keyboard.press('t');
	await settled(page);
	ok(Math.min(...inked(await picture(page)).ground) > 220, 'the light theme is not light');
	await page.keyboard.press('t');
	await settled(page);
	ok(Math.max(...inked(await picture(page)).ground) < 60, 'the dark theme is not dark');
	equal(page.complaints.join('; '), '', 'complaints');
	await page.context().close();
});

test('without WebGL the same picture comes from a 2-D canvas', async () => {
	const plain = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: [...flags, '--disable-gpu', '--disable-3d-apis'] });
	try {
		const page = await open(weft.url, { in: plain });
		await settled(page);
		equal(await page.evaluate(() => window.weft.painter), 'canvas2d', 'painter');
		const mine = await picture(page);
		ok(inked(mine).ink > 100, 'little is drawn');
		const gl = await open(weft.url);
		await settled(gl);
		equal(await gl.evaluate(() => window.weft.painter), 'webgl2', 'painter');
		const d = different(mine, await picture(gl));
		await gl.context().close();
		ok(d < 60, `${d} of 1000 px are unlike WebGL's`);
		await shot(page, 'canvas2d');
		equal(page.complaints.join('; '), '', 'complaints');
	} finally {
		await plain.close();
	}
});

test('a lost WebGL context comes back with its picture', async () => {
	const page = await open(weft.url);
	await settled(page);
	const before = await picture(page);
	await page.evaluate(async () => {
		const x = document.querySelector('.lanes-canvas').getContext('webgl2').getExtension('WEBGL_lose_context');
		x.loseContext();
		await new Promise(r => setTimeout(r, 100));
		x.restoreContext();
		await new Promise(r => setTimeout(r, 100));
	});
	await settled(page);
	ok(different(before, await picture(page)) < 5, 'it looks different');
	equal(await page.evaluate(() => window.weft.painter), 'webgl2', 'painter');
	await page.evaluate(() => document.querySelector('.lanes-canvas').getContext('webgl2').getExtension('WEBGL_lose_context').loseContext());
	await page.waitForFunction(() => window.weft.painter === 'canvas2d', undefined, { polling: 100, timeout: 8000 });
	await settled(page);
	ok(different(before, await picture(page)) < 60, 'the 2-D painter did not take over');
	await page.context().close();
});

test('while the trace is read the page says how far, then draws', async () => {
	const server = await startMock({ loading: 8, goroutines: 200 });
	stops.push(server.stop);
	const page = await open(server.url, { wait: false });
	await page.getByText(/Reading shop\.trace/).waitFor();
	await page.getByText(/\d+ % of 45\.9 MiB/).waitFor();
	await drawn(page);
	equal(await page.title(), 'shop.trace – weft', 'title');
	equal(page.complaints.join('; '), '', 'complaints');
	await page.context().close();
});

test('damage is a chip that explains itself, and leaves the buttons their place', async () => {
	const server = await startMock({ damage: true, goroutines: 200 });
	stops.push(server.stop);
	const page = await open(server.url, { viewport: { width: 800, height: 600 } });
	await page.locator('.topbar .chip', { hasText: 'finding' }).waitFor();
	const last = await page.locator('.buttons .icon').last().boundingBox();
	ok(last.x + last.width <= 800, `the last button ends at ${last.x + last.width}`);
	ok((await page.locator('.file').boundingBox()).width > 24, 'the name of the file is squeezed out');
	await page.locator('.chip-warn').click();
	await page.getByText('the last generation ends in the middle of a batch').first().waitFor();
	await page.getByText(/812 events/).waitFor();
	ok(/Began\s.*:\d\d\.\d{3}/.test(await page.locator('.drawer-body').innerText()), 'when it began has no thousandths of seconds');
	await axe(page, 'with damage');
	await page.context().close();
});

test('a trace in which nothing ran says so', async () => {
	const server = await startWeft(corpus('go1.27-header-only'));
	stops.push(server.stop);
	const page = await open(server.url);
	await page.getByText('No goroutine is seen in this trace').waitFor();
	await page.locator('.chip', { hasText: '1 event' }).waitFor();
	await axe(page, 'without goroutines');
	equal(page.complaints.join('; '), '', 'complaints');
	await page.context().close();
});

test('on paper it is light, with the lanes as a picture; then as before', async () => {
	const page = await open(weft.url, { colorScheme: 'dark' });
	await settled(page);
	const colours = await page.evaluate(() => {
		window.dispatchEvent(new Event('beforeprint'));
		const c = document.querySelector('.lanes > canvas:last-child');
		const px = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
		const seen = new Set();
		for (let i = 0; i < px.length; i += 16)
			seen.add(px[i] << 16 | px[i + 1] << 8 | px[i + 2]);
		return [document.documentElement.dataset.theme, seen.size, seen.has(0xffffff)];
	});
	equal(colours[0], 'light', 'theme');
	ok(colours[1] > 20 && colours[2], `${colours[1]} colours`);
	await page.evaluate(() => window.dispatchEvent(new Event('afterprint')));
	equal(await page.locator('.lanes > canvas').count(), 2, 'layers of the lanes');
	equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark', 'theme after');
	equal(page.complaints.join('; '), '', 'complaints');
	await page.context().close();
});

test('errors are said in words, and the page goes on', async () => {
	const bad = await startMock({ fail: 'info', goroutines: 50 });
	stops.push(bad.stop);
	const page = await open(bad.url, { wait: false });
	await page.getByText('The trace cannot be shown').waitFor();
	await page.getByText('out of memory').waitFor();
	await page.context().close();
	const half = await startMock({ goroutines: 100 });
	stops.push(half.stop);
	const other = await open(half.url);
	await other.route('**/api/tiles*', r => r.abort());
	await other.evaluate(() => { window.weft.view = { t0: 1e9, scale: 2000 }; });
	await other.locator('.trouble').waitFor();
	ok((await other.locator('.trouble').innerText()).includes('does not answer'), 'it does not say what is wrong');
	await other.unroute('**/api/tiles*');
	await other.locator('.trouble').waitFor({ state: 'detached', timeout: 8000 });
	await other.context().close();
});

test('a hundred thousand lanes: few elements, both ends reachable', async () => {
	const server = await startMock({ goroutines: 60 });
	stops.push(server.stop);
	const many = 120_000;
	const page = await open(server.url, { wait: false });
	await page.route('**/api/info', async r => {
		const a = await (await r.fetch()).json();
		a.groups[0].n = many;
		await r.fulfill({ json: a });
	});
	await page.route('**/api/lanes*', async r => {
		const q = new URL(r.request().url()).searchParams;
		const from = Number(q.get('from'));
		const n = Math.min(Number(q.get('n')), many - from);
		const lanes = Array.from({ length: n }, (_, i) => ({ lane: `g${1 + ((from + i) % 2 ? 17 : 0)}`, id: from + i, name: 'main.many', create_ns: 0, end_ns: null, exec_ns: 1, sched_ns: 1, block_ns: 1, syscall_ns: 0 }));
		await r.fulfill({ json: { group: 0, first: from, n: many, lanes } });
	});
	await page.goto(server.url);
	await drawn(page);
	await page.locator('.name-head', { hasText: /120.000/ }).click();
	await page.waitForFunction(() => document.querySelectorAll('.names [aria-level="2"]').length > 5, undefined, { polling: 30 });
	await page.keyboard.press('Control+End');
	await page.waitForFunction(() => [...document.querySelectorAll('.name')].length > 5 && document.querySelector('.scroller').scrollTop > 2e6, undefined, { polling: 30 });
	await settled(page);
	ok(await page.locator('.name').count() < 120, 'too many elements');
	await page.locator('.scroller').evaluate(el => { el.scrollTop = 1.2e6; });
	await page.waitForFunction(() => /^g(59|60)\d\d\d/.test(document.querySelector('.names [aria-level="2"]')?.innerText ?? ''), undefined, { polling: 30 });
	await page.keyboard.press('Control+Home');
	await page.getByText('GC mark').waitFor();
	await page.context().close();
});

test('with less motion asked for, jumps are jumps', async () => {
	const page = await open(weft.url, { reducedMotion: 'reduce' });
	const v0 = await view(page);
	await page.mouse.move(700, 400);
	await page.keyboard.press('w');
	await settled(page);
	const v1 = await view(page);
	ok(v1.scale < v0.scale, 'W did not zoom');
	const steps = await page.evaluate(async () => {
		const seen = new Set();
		document.dispatchEvent(new Event('x'));
		window.dispatchEvent(new KeyboardEvent('keydown', { key: '0', code: 'Digit0' }));
		for (let i = 0; i < 8; i++) {
			seen.add(window.weft.view.scale);
			await new Promise(r => setTimeout(r, 30));
		}
		return seen.size;
	});
	equal(steps, 1, 'scales on the way');
	await page.context().close();
});

answersTests({ test, ok, equal, api, axe, open, reset, settled, shot, startWeft, stops, shared: () => shared, annotated: corpus('go1.26-annotate'), planted: join(root, 'test', 'data', 'planted', 'greedy.trace.zst'), locks });

test('nothing serious for axe on the first screen', () => reset(shared).then(() => axe(shared, 'first screen')));

test('no console errors, no violations of the policy, nothing from elsewhere', async () => {
	equal(shared.complaints.join('; '), '', 'complaints');
	const policy = await shared.evaluate(async () => (await fetch('./')).headers.get('content-security-policy'));
	ok(/script-src 'self'/.test(policy) && !/unsafe/.test(policy), `the policy is ${policy}`);
});

// ---- go ----

if (!existsSync(weftPath)) {
	console.log(`Bail out! ${weftPath} is not there: build it first (./dev build)`);
	process.exit(1);
}
const begun = Date.now();
try {
	browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: [...flags, ...glFlags] });
	weft = await startWeft(trace);
	stops.push(weft.stop);
	shared = await open(weft.url);
	await runAll();
} catch (e) {
	console.log(`Bail out! ${e.stack}`);
	failed++;
} finally {
	console.log(`# ${number - failed} of ${number} passed in ${((Date.now() - begun) / 1000).toFixed(1)} s`);
	stops.forEach(f => f());
	await browser?.close();
}
process.exit(failed > 0 ? 1 : 0);
