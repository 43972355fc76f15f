// A server without weft: answers as docs/server.md says from a made-up run of 3 procs and 5,000 goroutines.
//
//     node dev/mock.mjs [--port=N] [--goroutines=N] [--damage] [--loading=N] [--fail=PART]
// --loading: so many questions are answered with "still reading".
//
// Works on the page need no trace and no C; tests of odd answers (loading, damage, errors) use it too.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CLASSES = ['none', 'running', 'runnable', 'blocked', 'lock', 'network', 'syscall', 'sleep', 'gc'];
const STATES = ['', 'Running', 'Runnable', 'Waiting', 'Waiting', 'Waiting', 'Syscall', 'Waiting', 'Waiting'];
const REASONS = ['', '', '', 'chan receive', 'sync', 'network', '', 'sleep', 'GC mark assist wait for work'];
const PX = 512;
const NO_REF = 0xffffffff;

/** A generator of numbers that gives the same run every time. */
function random(seed) {
	let a = seed >>> 0;
	return () => {
		a = (a + 0x6d2b79f5) >>> 0;
		let t = Math.imul(a ^ (a >>> 15), a | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	};
}

/** One lane's spans as columns: start, class, who (goroutine row), waker; an end is the next start. */
class Lane {
	t = [];
	cls = [];
	who = [];
	waker = [];
	push(t, cls, who = -1, waker = -1) {
		this.t.push(t);
		this.cls.push(cls);
		this.who.push(who);
		this.waker.push(waker);
	}
	at(time) {
		let lo = 0;
		let hi = this.t.length;
		while (lo < hi) {
			const mid = (lo + hi) >> 1;
			if (this.t[mid] <= time)
				lo = mid + 1;
			else
				hi = mid;
		}
		return lo - 1;
	}
}

function makeTrace(goroutines) {
	const rnd = random(42);
	const duration = 2_000_000_000;
	const procs = 3;
	const names = ['main.main', 'runtime.gcBgMarkWorker', 'net/http.(*conn).serve', 'example.com/shop/worker.(*Pool).run', 'main.worker', 'main.ticker',
		'database/sql.(*DB).connectionOpener', 'time.goFunc', 'main.main.func1'];
	const weights = [1, 3, 0.55, 0.2, 0.15, 0.04, 1, 0.03, 0.03];
	const gs = [];
	const groups = names.map((name, group) => ({ group, name, n: 0, members: [] }));
	const add = (group, create, end) => {
		const g = { row: gs.length, id: gs.length === 0 ? 1 : gs.length + 17, group, create, end, lane: new Lane(), ns: new Array(9).fill(0) };
		groups[group].members.push(g.row);
		groups[group].n++;
		gs.push(g);
		return g;
	};
	add(0, 0, duration);
	add(6, 0, duration);
	for (let i = 0; i < procs; i++)
		add(1, 0, duration);
	while (gs.length < goroutines) {
		const group = weights.findIndex((w, i) => i > 1 && i !== 6 && rnd() < w);
		if (group < 0)
			continue;
		const create = Math.floor(rnd() ** 1.2 * duration * 0.95);
		const life = group === 2 ? 4e6 + rnd() * 9e7 : group === 5 ? duration : 1e7 + rnd() * 6e8;
		add(group, create, Math.min(duration, Math.floor(create + life)));
	}
	const gc = new Lane();
	const stw = new Lane();
	gc.push(0, 0);
	stw.push(0, 0);
	for (let t = 120e6; t < duration - 50e6; t += 180e6 + rnd() * 120e6) {
		const len = 9e6 + rnd() * 14e6;
		gc.push(Math.floor(t), 8);
		gc.push(Math.floor(t + len), 0);
		for (const at of [t - 40e3, t + len]) {
			stw.push(Math.floor(at), 8);
			stw.push(Math.floor(at + 20e3 + rnd() * 30e3), 0);
		}
	}
	const inGc = t => gc.cls[gc.at(t)] === 8;
	// Procs run one goroutine after another; each then waits for a while.
	const free = new Array(procs).fill(0);
	const procLanes = free.map(() => new Lane());
	procLanes.forEach(l => l.push(0, 0));
	const queue = gs.map(g => ({ g, t: g.create, waker: 0 }));
	const heap = { items: [] };
	const push = e => {
		const a = heap.items;
		a.push(e);
		for (let i = a.length - 1; i > 0;) {
			const p = (i - 1) >> 1;
			if (a[p].t <= a[i].t)
				break;
			[a[p], a[i]] = [a[i], a[p]];
			i = p;
		}
	};
	const pop = () => {
		const a = heap.items;
		const top = a[0];
		const last = a.pop();
		if (a.length > 0) {
			a[0] = last;
			for (let i = 0;;) {
				let m = i;
				for (const c of [2 * i + 1, 2 * i + 2])
					if (c < a.length && a[c].t < a[m].t)
						m = c;
				if (m === i)
					break;
				[a[m], a[i]] = [a[i], a[m]];
				i = m;
			}
		}
		return top;
	};
	queue.forEach(push);
	const busy = t => 0.25 + 0.75 * Math.max(0, Math.sin(t / 1.7e8)) ** 2;
	while (heap.items.length > 0) {
		const e = pop();
		const { g } = e;
		if (e.t >= g.end)
			continue;
		const p = free.indexOf(Math.min(...free));
		const start = Math.max(e.t, free[p]);
		if (start >= g.end)
			continue;
		if (start > e.t)
			g.lane.push(e.t, 2, -1, e.waker);
		const mark = g.group === 1;
		if (mark && !inGc(start)) {
			const i = gc.at(start);
			const next = gc.t.find((x, k) => k > i && gc.cls[k] === 8);
			g.lane.push(start, 7);
			if (next !== undefined)
				push({ g, t: next + 1000, waker: 0 });
			continue;
		}
		const run = Math.floor(mark ? 4e6 : 8e3 + rnd() ** 3 * 900e3 * busy(start));
		const end = Math.min(g.end, start + run);
		g.lane.push(start, mark ? 8 : 1, p);
		procLanes[p].push(start, mark ? 8 : 1, g.row);
		procLanes[p].push(end, 0);
		free[p] = end + Math.floor(rnd() * 3e3);
		const r = rnd();
		const cls = g.group === 2 ? (r < 0.7 ? 5 : r < 0.9 ? 3 : 4) : g.group === 5 || g.group === 7 ? 7 : r < 0.55 ? 3 : r < 0.75 ? 4 : r < 0.9 ? 6 : 5;
		if (end < g.end) {
			g.lane.push(end, cls);
			const others = gs.length > 1 ? Math.floor(rnd() * Math.min(gs.length, 64)) : 0;
			push({ g, t: end + Math.floor((20e3 + rnd() ** 2 * 60e6) / busy(end)), waker: others });
		}
	}
	for (const g of gs) {
		if (g.lane.t.length === 0 || g.lane.t[0] > g.create)
			g.lane.t.unshift(g.create), g.lane.cls.unshift(2), g.lane.who.unshift(-1), g.lane.waker.unshift(0);
		if (g.end < duration)
			g.lane.push(g.end, 0);
		g.lane.t.forEach((t, i) => { g.ns[g.lane.cls[i]] += (g.lane.t[i + 1] ?? duration) - t; });
	}
	groups.forEach(x => x.members.sort((a, b) => gs[a].create - gs[b].create || a - b));
	const order = groups.filter(x => x.n > 0).sort((a, b) => sum(b, 1) - sum(a, 1));
	function sum(x, cls) {
		return x.members.reduce((n, r) => n + gs[r].ns[cls], 0);
	}
	order.forEach((x, i) => {
		x.group = i;
		x.members.forEach(r => { gs[r].group = i; });
	});
	return { duration, gs, groups: order, procLanes, gc, stw, sum };
}

/** Runs of a lane in a tile: px by px, as docs/server.md says. */
function runsOf(tr, lane, t0, px) {
	const out = [];
	let i = Math.max(0, lane.at(t0));
	const end = (k) => lane.t[k + 1] ?? tr.duration;
	let x = 0;
	while (x < PX && i < lane.t.length) {
		const a = (lane.t[i] - t0) / px;
		const b = (end(i) - t0) / px;
		if (a >= PX)
			break;
		if (b <= x && b < a + 2) {
			i++;
			continue;
		}
		if (b - Math.max(a, 0) >= 2 || (b - a >= 2 && a < 0)) {
			if (lane.cls[i] !== 0)
				out.push({ x0: a, x1: b, kind: 0, cls: lane.cls[i], count: 1, ref: lane.who[i] ?? -1, flags: (lane.t[i] === 0 ? 1 : 0) | (end(i) >= tr.duration ? 2 : 0) });
			x = b;
			i++;
			continue;
		}
		const share = new Array(9).fill(0);
		const from = Math.max(a, x);
		const to = Math.max(from + 2, b);
		let count = 0;
		while (i < lane.t.length && (lane.t[i] - t0) / px < to) {
			const s = Math.max((lane.t[i] - t0) / px, from);
			const f = Math.min((end(i) - t0) / px, to);
			if (f > s)
				share[lane.cls[i]] += f - s;
			count++;
			if ((end(i) - t0) / px >= to)
				break;
			i++;
		}
		const total = to - from;
		const best = share.slice(1).reduce((m, v, k, l) => (v > l[m] ? k : m), 0) + 1;
		if (share[best] > 0)
			out.push({ x0: from, x1: to, kind: 1, cls: best, count, ref: -1, flags: 0, share: share.slice(1).map(v => Math.round((v / total) * 255)) });
		x = to;
	}
	return out;
}

function groupRuns(tr, group, t0, px) {
	const out = [];
	const members = tr.groups[group]?.members ?? [];
	const n = PX / 2;
	const acc = Array.from({ length: n }, () => new Float64Array(9));
	for (const r of members) {
		const l = tr.gs[r].lane;
		for (let i = Math.max(0, l.at(t0)); i < l.t.length; i++) {
			const a = (l.t[i] - t0) / px / 2;
			const b = ((l.t[i + 1] ?? tr.duration) - t0) / px / 2;
			if (a >= n)
				break;
			for (let k = Math.max(0, Math.floor(a)); k < Math.min(n, b); k++)
				acc[k][l.cls[i]] += Math.min(b, k + 1) - Math.max(a, k);
		}
	}
	acc.forEach((v, k) => {
		const share = [...v].slice(1).map(x => Math.ceil((x / members.length) * 255));
		const best = share.reduce((m, x, i, l) => (x > l[m] ? i : m), 0);
		if (share[best] > 0)
			out.push({ x0: 2 * k, x1: 2 * k + 2, kind: 1, cls: best + 1, count: members.length, ref: -1, flags: 0, share });
	});
	return out;
}

function encode(zoom, start, lanes) {
	const pad = n => (n + 3) & ~3;
	let size = 24 + 8 * lanes.length;
	for (const runs of lanes)
		size += runs.length * 16 + 4 * pad(runs.length) + 8 * runs.filter(r => r.kind === 1).length;
	const b = Buffer.alloc(size);
	b.writeUInt32LE(0x4c495457, 0);
	b.writeUInt32LE(1, 4);
	b.writeUInt32LE(zoom, 8);
	b.writeUInt32LE(lanes.length, 12);
	b.writeDoubleLE(start, 16);
	let at = 24 + 8 * lanes.length;
	lanes.forEach((runs, i) => {
		const blended = runs.filter(r => r.kind === 1);
		b.writeUInt32LE(runs.length, 24 + 8 * i);
		b.writeUInt32LE(blended.length, 28 + 8 * i);
		for (const k of ['x0', 'x1'])
			for (const r of runs)
				at = b.writeFloatLE(r[k], at);
		for (const r of runs)
			at = b.writeUInt32LE(r.count, at);
		for (const r of runs)
			at = b.writeUInt32LE(r.ref < 0 ? NO_REF : r.ref, at);
		for (const k of ['kind', 'cls', 'marks', 'flags']) {
			runs.forEach((r, j) => b.writeUInt8(r[k] ?? 0, at + j));
			at += pad(runs.length);
		}
		for (const r of blended)
			for (const v of r.share)
				at = b.writeUInt8(Math.min(255, v), at);
	});
	return b;
}

export function mock(options = {}) {
	const tr = makeTrace(options.goroutines ?? 5000);
	const byId = new Map(tr.gs.map(g => [g.id, g]));
	const laneOf = name => {
		if (name === 'gc' || name === 'stw')
			return tr[name];
		if (name[0] === 'p')
			return tr.procLanes[Number(name.slice(1))];
		if (name[0] === 'm')
			return tr.procLanes[Number(name.slice(1)) - 7001];
		return byId.get(Number(name.slice(1)))?.lane;
	};
	const nameOf = g => tr.groups[g.group].name;
	const times = ns => ({ exec_ns: ns[1], sched_ns: ns[2], block_ns: ns[3] + ns[4] + ns[5] + ns[7] + ns[8], syscall_ns: ns[6], syscall_block_ns: 0 });
	const stack = f => [{ func: 'runtime.gopark', file: '/usr/local/go/src/runtime/proc.go', line: 435, pc: '0x43d0ee' }, { func: f, file: '/src/shop/main.go', line: 71, pc: '0x6a1f02' }];
	const span = (name, i) => {
		const l = laneOf(name);
		const cls = l?.cls[i];
		if (!cls)
			return { lane: name, span: null };
		const g = name[0] === 'g' && name !== 'gc' ? byId.get(Number(name.slice(1))) : l.who[i] >= 0 ? tr.gs[l.who[i]] : null;
		const p = name[0] === 'p' ? Number(name.slice(1)) : name[0] === 'm' ? Number(name.slice(1)) - 7001 : g && l.who[i] >= 0 ? l.who[i] : null;
		const w = l.waker[i] >= 0 ? tr.gs[l.waker[i]] : null;
		const end = l.t[i + 1] ?? tr.duration;
		return {
			lane: name, start_ns: l.t[i], end_ns: end, class: CLASSES[cls], state: STATES[cls], open_start: l.t[i] === 0, open_end: end >= tr.duration,
			reason: name === 'stw' ? 'GC mark termination' : REASONS[cls], g: g?.id ?? null, g_name: g ? nameOf(g) : '', p: cls === 1 || cls === 8 ? p : null,
			m: (cls === 1 || cls === 8) && p !== null ? 7001 + p : null, stack: g && cls !== 2 ? stack(nameOf(g)) : [],
			waker: w && cls === 2 ? { g: w.id, name: nameOf(w), p: 1, stack: stack(nameOf(w)) } : null,
		};
	};
	let polls = 0;
	const counts = (t, step, n, group) => {
		const out = Array.from({ length: 8 }, () => new Array(n).fill(0));
		for (const g of tr.gs) {
			if (group !== undefined && g.group !== group)
				continue;
			const l = g.lane;
			for (let i = Math.max(0, l.at(t)); i < l.t.length && l.t[i] < t + n * step; i++) {
				const cls = l.cls[i];
				if (cls === 0)
					continue;
				const a = (l.t[i] - t) / step;
				const b = ((l.t[i + 1] ?? tr.duration) - t) / step;
				for (let k = Math.max(0, Math.floor(a)); k < Math.min(n, b); k++)
					out[cls - 1][k] += Math.min(b, k + 1) - Math.max(a, k);
			}
		}
		return out.map(l => l.map(v => Math.round(v * 1000) / 1000));
	};
	const heapAt = t => {
		let last = 0;
		for (let i = 0; i < tr.gc.t.length; i++)
			if (tr.gc.cls[i] === 8 && tr.gc.t[i] <= t)
				last = tr.gc.t[i];
		return Math.round(12e6 + (t - last) * 0.11);
	};
	const answers = {
		info: () => ({
			loading: false, file: '/tmp/shop.trace', version: 26, written_by: 'Go 1.26 or 1.27', compression: 'none', file_bytes: 48123456, duration_ns: tr.duration,
			start_abs_ns: '3250853091968', wall_start_unix_ns: '1795336402522602706', events: 1_482_133, goroutines: tr.gs.length, procs: tr.procLanes.length, threads: 3,
			gc_count: tr.gc.cls.filter(c => c).length, stw_count: tr.stw.cls.filter(c => c).length, classes: CLASSES,
			damage: options.damage ? { what: 'the last generation ends in the middle of a batch', rule: 'a batch is whole', offset: 48120000, lost_bytes: 3456, lost_events: 812 } : null,
			proc_lanes: tr.procLanes.map((_, i) => ({ lane: `p${i}`, id: i, name: `P${i}` })),
			thread_lanes: tr.procLanes.map((_, i) => ({ lane: `m${7001 + i}`, id: 7001 + i, name: `M${7001 + i}`, events: 1000 })),
			group_count: tr.groups.length,
			groups: tr.groups.map(x => ({ group: x.group, name: x.name, n: x.n, ...times(CLASSES.map((_, c) => tr.sum(x, c))), total_ns: CLASSES.reduce((n, _, c) => n + (c ? tr.sum(x, c) : 0), 0) })),
		}),
		lanes: q => {
			const x = tr.groups[q.group];
			return {
				group: q.group, first: q.from, n: x.n,
				lanes: x.members.slice(q.from, q.from + q.n).map(r => tr.gs[r]).map(g => ({
					lane: `g${g.id}`, id: g.id, name: x.name, create_ns: g.create, end_ns: g.end >= tr.duration ? null : g.end, ...times(g.ns),
				})),
			};
		},
		rows: q => ({ rows: String(q.rows).split(',').map(Number).map(r => ({ row: r, id: tr.gs[r].id, name: nameOf(tr.gs[r]), group: tr.gs[r].group })) }),
		span: q => span(q.lane, laneOf(q.lane).at(q.t)),
		step: q => {
			const l = laneOf(q.lane);
			let i = l.at(q.t) + q.dir;
			while (l.cls[i] === 0)
				i += q.dir;
			return span(q.lane, i);
		},
		counts: q => ({ t: q.t, step: q.step, n: q.n, counts: counts(q.t, q.step, q.n, q.group) }),
		metrics: q => {
			const at = Array.from({ length: q.n }, (_, i) => q.t + i * q.step);
			return { t: q.t, step: q.step, n: q.n, heap: at.map(t => (t < 5e6 ? null : heapAt(t))), goal: at.map(t => (t < 5e6 ? null : 46e6 + 4e6 * Math.sin(Math.floor(t / 2.4e8)))), gomaxprocs: at.map(() => 3) };
		},
		told: () => ({ logs: [], n_logs: 0, regions: [], n_regions: 0 }),
		findings: () => ({ n_findings: options.damage ? 3 : 0, worst: 0, looked_at: { from_ns: 0, to_ns: tr.duration, events: 1_482_133, goroutines: tr.gs.length }, findings: [] }),
		search: q => {
			const m = /^g?(\d+)$/i.exec(q.q);
			const all = tr.gs.filter(g => (m ? g.id === Number(m[1]) : nameOf(g).toLowerCase().includes(q.q.toLowerCase())));
			return { q: q.q, total: all.length, hits: all.slice(0, q.n).map(g => ({ lane: `g${g.id}`, id: g.id, name: nameOf(g), create_ns: g.create, end_ns: null, group: g.group, index: tr.groups[g.group].members.indexOf(g.row) })) };
		},
	};
	const dist = options.dist ?? join(dirname(fileURLToPath(import.meta.url)), '..', 'dist');
	const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml' };
	return createServer((req, res) => {
		const url = new URL(req.url, 'http://x');
		const send = (status, type, body) => {
			res.writeHead(status, {
				'Content-Type': type, 'Cache-Control': 'no-cache', 'X-Content-Type-Options': 'nosniff',
				'Content-Security-Policy': "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
			});
			res.end(body);
		};
		const json = (status, o) => send(status, 'application/json', JSON.stringify(o));
		try {
			if (!url.pathname.startsWith('/api/')) {
				const name = url.pathname === '/' ? 'index.html' : url.pathname.slice(1);
				if (!/^[a-z]+\.[a-z]+$/.test(name))
					return json(404, { error: 'there is no such page' });
				return send(200, types[extname(name)] ?? 'text/plain', readFileSync(join(dist, name)));
			}
			const what = url.pathname.slice(5);
			if (polls < (options.loading ?? 0)) {
				const total = 48123456;
				if (what !== 'info')
					return json(503, { error: 'the trace is still being read' });
				polls++;
				return json(200, { loading: true, file: '/tmp/shop.trace', doing: 'reading', done: Math.floor((total * polls) / options.loading), total });
			}
			if (options.fail === what)
				return json(500, { error: 'out of memory' });
			const q = Object.fromEntries([...url.searchParams].map(([k, v]) => [k, /^(t|step|n|group|from|zoom|i|dir)$/.test(k) ? Number(v) : v]));
			if (what === 'tiles') {
				const px = 2 ** q.zoom;
				const t0 = q.i * PX * px;
				const lanes = q.lanes.split(',').map(l => (l[0] === 'G' ? groupRuns(tr, Number(l.slice(1)), t0, px) : runsOf(tr, laneOf(l), t0, px)));
				return send(200, 'application/octet-stream', encode(q.zoom, t0, lanes));
			}
			const f = answers[what];
			return f ? json(200, f(q)) : json(404, { error: 'there is no such answer' });
		} catch (e) {
			return json(400, { error: String(e.message ?? e) });
		}
	});
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const arg = (name, or) => {
		const a = process.argv.find(x => x === `--${name}` || x.startsWith(`--${name}=`));
		return a === undefined ? or : a.includes('=') ? a.slice(a.indexOf('=') + 1) : true;
	};
	const server = mock({ goroutines: Number(arg('goroutines', 5000)), damage: arg('damage', false), loading: Number(arg('loading', 0)), fail: arg('fail', '') });
	server.listen(Number(arg('port', 8901)), '127.0.0.1', () => console.log(`mock: http://127.0.0.1:${server.address().port}`));
}
