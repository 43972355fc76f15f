import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Group, Info, Span, Waker } from '../src/model/api';
import { formatHash, parseHash } from '../src/model/hash';
import { LanePages, Layout, sectionsOf } from '../src/model/lanes';
import { shortFunc, splitFunc } from '../src/model/names';
import { clampTop, MAX_SCROLL_PX, spacer, toBar, toContent } from '../src/model/scroll';
import { sameSpanLanes, wakeOf } from '../src/model/select';
import { TileStore, tileSpan, type Placed } from '../src/model/tiles';
import { between, clamp, endOf, fit, History, panBy, reveal, tileZoom, toTime, whole, zoomAt } from '../src/model/view';

const L = { duration: 2e9, width: 1600 };
const near = (a: number, b: number, eps = 1e-6): void => assert(Math.abs(a - b) <= eps * Math.max(1, Math.abs(a), Math.abs(b)), `${a} is not ${b}`);

test('zooming keeps the time under the cursor', () => {
	let v = whole(L);
	for (let i = 0; i < 60; i++) {
		const t = toTime(v, 700);
		const n = zoomAt(v, 700, 0.7, L);
		if (n.scale > 0.021)
			near(toTime(n, 700), t, 1e-9);
		v = n;
	}
	near(v.scale, 0.02);
	for (let i = 0; i < 90; i++)
		v = zoomAt(v, 100, 1.5, L);
	assert.deepEqual(v, whole(L));
});

test('a view never leaves the trace', () => {
	const v = fit(5e8, 6e8, L);
	assert(panBy(v, -1e9, L).t0 <= 0);
	assert(endOf(panBy(v, 1e9, L), L) >= L.duration);
	assert(endOf(panBy(v, 1e9, L), L) < L.duration * 1.05);
	assert.deepEqual(clamp({ t0: NaN > 0 ? 1 : -Infinity, scale: 1e12 }, L), whole(L));
	assert(Number.isFinite(clamp({ t0: -Infinity, scale: 1e3 }, L).t0));
	assert(Number.isFinite(whole({ duration: 0, width: 800 }).scale));
});

test('fit shows all of it, reveal moves only when it must', () => {
	const v = fit(1e9, 1.1e9, L);
	assert(v.t0 < 1e9 && endOf(v, L) > 1.1e9);
	assert.equal(reveal(v, 1.04e9, 1.05e9, L), v);
	const r = reveal(v, 1.5e9, 1.5e9 + 1000, L);
	assert.equal(r.scale, v.scale);
	assert(r.t0 < 1.5e9 && endOf(r, L) > 1.5e9 + 1000);
});

test('a tile px is half to one device px', () => {
	for (const dpr of [1, 1.5, 2])
		for (let scale = 2 * dpr; scale < 1e9; scale *= 1.37) {
			const px = 2 ** tileZoom({ t0: 0, scale }, dpr) / (scale / dpr);
			assert(px > 0.4999 && px <= 1.0001, `${px}`);
		}
	assert.equal(tileZoom({ t0: 0, scale: 0.02 }, 2), 0);
});

test('a glide begins and ends where it should and grows steadily', () => {
	const a = whole(L);
	const b = fit(1e9, 1.001e9, L);
	assert.equal(between(a, b, 1, L.width), b);
	near(between(a, b, 0, L.width).t0, a.t0);
	let last = a.scale;
	for (let k = 0.1; k < 1; k += 0.1) {
		const v = between(a, b, k, L.width);
		assert(v.scale < last);
		last = v.scale;
	}
});

test('history: jumps are entries, a stretch of panning is one', () => {
	const h = new History();
	const v = (n: number): { t0: number; scale: number } => ({ t0: n, scale: 1 });
	for (let i = 0; i < 10; i++)
		h.note(v(i), 1000 + i * 20, false);
	h.note(v(50), 9000, true);
	assert.deepEqual(h.undo(v(60)), v(50));
	assert.deepEqual(h.undo(v(50)), v(0));
	assert.equal(h.undo(v(0)), undefined);
	assert.deepEqual(h.redo(v(0)), v(50));
	assert.deepEqual(h.redo(v(50)), v(60));
	assert.equal(h.canRedo, false);
});

const group = (i: number, n: number): Group => ({ group: i, name: `main.f${i}`, n, exec_ns: 1, sched_ns: 1, block_ns: 1, syscall_ns: 1, total_ns: 4 });
const info: Info = {
	file: 'x', version: 26, written_by: 'Go', duration_ns: 1e9, start_abs_ns: '0', wall_start_unix_ns: null, events: 1, goroutines: 100_011, procs: 4, threads: 9, gc_count: 0,
	stw_count: 0, classes: [], damage: null,
	proc_lanes: [0, 1, 2, 3].map(i => ({ lane: `p${i}`, id: i, name: `P${i}` })),
	thread_lanes: Array.from({ length: 9 }, (_, i) => ({ lane: `m${i}`, id: i, name: `M${i}` })),
	groups: [group(0, 10), group(1, 1), group(2, 100_000)],
};

test('rows: found by height and one after the other, in a hundred thousand lanes', () => {
	const l = new Layout(sectionsOf(info, new Set(['group 2'])), 20);
	let n = 0;
	let y = 0;
	let r = l.at(0);
	for (; r; r = l.next(r, 1)) {
		assert.equal(r.y, y);
		assert.equal(l.ordinal(r), n);
		y += r.h;
		n++;
	}
	assert.equal(y, l.height);
	// GC and STW; procs and 4; threads (closed, being 9); goroutines; group 0 closed; group 1 alone; group 2 and its lanes.
	assert.equal(n, 2 + 5 + 1 + 1 + 1 + 1 + 1 + 100_000);
	const last = l.at(l.height - 1)!;
	assert.equal(last.index, 99_999);
	for (let k = 0; k < 50; k++)
		r = l.next(k === 0 ? last : r!, -1);
	assert.equal(r!.index, 99_949);
	const seen = l.visible(1_000_003, 1_000_803);
	assert(seen.length >= 40 && seen.length <= 42);
	assert(seen[0]!.y <= 1_000_003 && seen[0]!.y + seen[0]!.h > 1_000_003);
	assert.equal(l.at(-1), undefined);
	assert.equal(l.at(l.height), undefined);
});

test('rows: pinned ones stay at the top of the screen, the others are seen beneath them', () => {
	const l = new Layout(sectionsOf(info, new Set(['group 2']), ['g7', 'p0']), 20);
	assert.equal(l.stuck, 40);
	for (const top of [0, 13, 1_000_003]) {
		const seen = l.visible(top, top + 400);
		assert.deepEqual(seen.slice(0, 2), [{ section: 0, index: 0, y: top, h: 20 }, { section: 0, index: 1, y: top + 20, h: 20 }]);
		assert(seen[2]!.section > 0 && seen[2]!.y <= top + 40 && seen[2]!.y + seen[2]!.h > top + 40);
		assert.equal(l.at(top + 39, top)!.index, 1);
		assert.deepEqual(l.at(top + 40, top), seen[2]);
		assert.equal(new Set(seen.map(r => `${r.section}/${r.index}`)).size, seen.length);
	}
	assert.equal(l.next(l.row(0, 1)!, 1)!.section, 1);
	assert.equal(new Layout(sectionsOf(info, new Set()), 20).stuck, 0);
});

test('rows: walking up meets the same rows as walking down, past closed and headless sections', () => {
	const l = new Layout(sectionsOf(info, new Set(['group 0', '!procs'])), 12);
	const down: string[] = [];
	let r = l.at(0);
	let last = r;
	for (; r; r = l.next(r, 1)) {
		down.push(`${r.section}/${r.index}`);
		last = r;
	}
	const up: string[] = [];
	for (r = last; r; r = l.next(r, -1))
		up.push(`${r.section}/${r.index}`);
	assert.deepEqual(up.reverse(), down);
});

test('a closed list of goroutines hides the groups', () => {
	assert.equal(sectionsOf(info, new Set(['!goroutines'])).some(s => s.kind === 'group'), false);
});

test('the scroll bar reaches both ends of more rows than a browser can hold', () => {
	for (const content of [100, 5_000, 30_000_000]) {
		const s = { content, viewport: 800 };
		assert(spacer(s) <= MAX_SCROLL_PX);
		near(toContent(s, Math.max(spacer(s) - 800, 0)), Math.max(content - 800, 0));
		assert.equal(toContent(s, 0), 0);
		near(toContent(s, toBar(s, clampTop(s, 12_345))), clampTop(s, 12_345));
	}
});

test('pages of lanes are asked for once, and again after a failure', async () => {
	let calls = 0;
	let changes = 0;
	const p = new LanePages(async (g, from, n) => {
		calls++;
		return { lanes: Array.from({ length: n }, (_, i) => ({ lane: `g${g}_${from + i}`, id: from + i, name: '', create_ns: 0, end_ns: null, exec_ns: 0, sched_ns: 0, block_ns: 0, syscall_ns: 0 })) };
	}, () => { changes++; }, () => assert(false));
	assert.equal(p.get(3, 700), undefined);
	assert.equal(p.get(3, 701), undefined);
	await Promise.resolve();
	await Promise.resolve();
	assert.equal(p.get(3, 700)?.lane, 'g3_700');
	assert.equal(calls, 1);
	assert.equal(changes, 1);
	assert.equal(p.known('g3_701')?.id, 701);
});

test('functions are split behind their package', () => {
	assert.deepEqual(splitFunc('net/http.(*conn).serve'), ['net/http.', '(*conn).serve']);
	assert.deepEqual(splitFunc('main.worker'), ['main.', 'worker']);
	assert.deepEqual(splitFunc('example.com/a.b/c.(*T).f.func1'), ['example.com/a.b/c.', '(*T).f.func1']);
	assert.deepEqual(splitFunc('x'), ['', 'x']);
	assert.equal(shortFunc('net/http.(*conn).serve'), 'http.(*conn).serve');
});

test('a link holds the view to the nanosecond, and bad links hold nothing', () => {
	const p = { t0: 1_234_567_891, t1: 2_000_000_000, lane: 'g45', at: 1_300_000_001 };
	assert.deepEqual(parseHash(formatHash(p)), p);
	assert.equal(formatHash({}), '');
	const all = { ...p, range: { t0: 1, t1: 7_000 }, tab: 'profile', kind: 'sync', of: 'range', pins: ['g1', 'G2', 'gc'], filter: 'fn:a&b dur:>1ms #%' };
	assert.deepEqual(parseHash(formatHash(all)), all);
	for (const bad of ['', '#', '#range=7..', '#pin=x,g', '#tab=<b>', '#kind=A', '#filter=', '#t=5s..2s', '#t=x..y', '#sel=<b>', '#sel=g', '#t=1s'])
		assert.deepEqual(parseHash(bad), {});
});

const waker: Waker = { g: 17, name: 'main.main', p: 1, stack: [] };
const span = (o: Partial<Span>): Span => ({
	lane: 'g45', start_ns: 100, end_ns: 200, class: 'running', state: 'Running', open_start: false, open_end: false, reason: '', g: 45, g_name: 'f', p: 2, m: 9, stack: [], waker: null, ...o,
});

test('who woke it: by its own word, by the wait before it, by the end of a block', () => {
	assert.equal(wakeOf({ lane: 'g45', span: span({}), before: null, after: null }), null);
	const wait = span({ class: 'runnable', start_ns: 60, end_ns: 100, waker });
	assert.deepEqual(wakeOf({ lane: 'g45', span: span({}), before: wait, after: null }), { at: 60, waker, created: false, latency: 40 });
	assert.deepEqual(wakeOf({ lane: 'g45', span: wait, before: null, after: null }), { at: 60, waker, created: false, latency: 40 });
	const block = span({ class: 'blocked', start_ns: 10, end_ns: 60 });
	assert.equal(wakeOf({ lane: 'g45', span: block, before: null, after: wait })?.at, 60);
	assert.equal(wakeOf({ lane: 'g45', span: block, before: null, after: span({ class: 'runnable', start_ns: 90, waker }) }), null);
});

test('a running span stands on its goroutine, proc and thread', () => {
	assert.deepEqual(sameSpanLanes(span({})), ['g45', 'p2', 'm9']);
	assert.deepEqual(sameSpanLanes(span({ class: 'blocked', p: null, m: null })), ['g45']);
});

/** An answer of empty tiles. */
function empty(zoom: number, i: number, n: number): ArrayBuffer {
	const buf = new ArrayBuffer(24 + 8 * n);
	const d = new DataView(buf);
	d.setUint32(0, 0x4c495457, true);
	d.setUint32(4, 1, true);
	d.setUint32(8, zoom, true);
	d.setUint32(12, n, true);
	d.setFloat64(16, i * tileSpan(zoom), true);
	return buf;
}

interface Asked { readonly zoom: number; readonly i: number; readonly lanes: readonly string[]; readonly signal: AbortSignal; readonly answer: () => void }

function store(): { readonly tiles: TileStore; readonly asked: Asked[]; readonly errors: unknown[] } {
	const asked: Asked[] = [];
	const errors: unknown[] = [];
	const tiles = new TileStore((zoom, i, lanes, signal) => new Promise((yes, no) => {
		asked.push({ zoom, i, lanes, signal, answer: () => yes(empty(zoom, i, lanes.length)) });
		signal.addEventListener('abort', () => no(new Error('aborted')));
	}), () => undefined, e => errors.push(e), () => undefined, () => 1e12);
	return { tiles, asked, errors };
}

const settle = (): Promise<void> => new Promise(r => setTimeout(r, 0));

test('tiles: lanes of one place are one request, near the middle first, each asked once', async () => {
	const { tiles, asked } = store();
	const frame = (): void => {
		tiles.begin();
		for (let i = 0; i < 3; i++)
			for (const lane of ['p0', 'p1', 'p0'])
				tiles.want(lane, 10, i);
		tiles.commit(2.5 * tileSpan(10), 0);
	};
	frame();
	assert.deepEqual(asked.map(a => [a.i, a.lanes.join()]), [[2, 'p0,p1'], [1, 'p0,p1'], [0, 'p0,p1']]);
	frame();
	assert.equal(asked.length, 3);
	asked.forEach(a => a.answer());
	await settle();
	frame();
	assert.equal(asked.length, 3);
	assert(tiles.get('p1', 10, 1));
	assert.equal(tiles.busy, false);
});

test('tiles: what no frame wants is aborted and is no error', async () => {
	const { tiles, asked, errors } = store();
	tiles.begin();
	tiles.want('p0', 10, 0);
	tiles.want('p0', 10, 1);
	tiles.commit(0, 0);
	tiles.begin();
	tiles.want('p0', 10, 1);
	tiles.commit(0, 0);
	assert.deepEqual(asked.map(a => a.signal.aborted), [true, false]);
	await settle();
	assert.deepEqual(errors, []);
});

test('tiles: never more than 256 lanes in one request', () => {
	const { tiles, asked } = store();
	tiles.begin();
	for (let k = 0; k < 600; k++)
		tiles.want(`g${k}`, 10, 0);
	tiles.commit(0, 0);
	assert.deepEqual(asked.map(a => a.lanes.length), [256, 256, 88]);
});

test('tiles: the best that is here stands in, coarser or finer, without gaps or overlaps', async () => {
	const { tiles, asked } = store();
	const load = async (list: readonly (readonly [number, number])[]): Promise<void> => {
		tiles.begin();
		for (const [z, i] of list)
			tiles.want('p0', z, i);
		tiles.commit(0, 0);
		asked.splice(0).forEach(a => a.answer());
		await settle();
	};
	const place = (z: number, i: number): readonly [boolean, readonly string[]] => {
		const out: Placed[] = [];
		const whole = tiles.place('p0', z, i, out);
		return [whole, out.map(p => `${p.stored.zoom}/${p.stored.i} ${p.from / tileSpan(z)}..${p.to / tileSpan(z)}`)];
	};
	assert.deepEqual(place(10, 5), [false, []]);
	await load([[12, 1]]);
	assert.deepEqual(place(10, 5), [false, ['12/1 5..6']]);
	await load([[9, 10]]);
	assert.deepEqual(place(10, 5), [false, ['12/1 5..6']]); // half of it is not enough
	await load([[9, 11]]);
	assert.deepEqual(place(10, 5), [false, ['9/10 5..5.5', '9/11 5.5..6']]);
	await load([[10, 5]]);
	assert.deepEqual(place(10, 5), [true, ['10/5 5..6']]);
	assert.deepEqual(place(11, 40), [false, []]);
});

test('tiles: a lane that waits says so, until it has all', async () => {
	const { tiles, asked } = store();
	const frame = (now: number): void => {
		tiles.begin();
		tiles.want('p0', 10, 0);
		tiles.want('p1', 10, 0, true);
		tiles.commit(0, now);
	};
	frame(1000);
	frame(1200);
	assert.deepEqual([...tiles.waitingSince(1050)], ['p0']);
	assert.deepEqual([...tiles.waitingSince(999)], []);
	asked.forEach(a => a.answer());
	await settle();
	frame(1300);
	assert.deepEqual([...tiles.waitingSince(5000)], []);
});
