// What stands above the lanes and does not scroll: axis, counters, and the strip of the whole trace.

import { BLOCKED, css, GC, LOCK, NETWORK, RUNNABLE, RUNNING, SLEEP, SYSCALL, type Theme } from '../base/palette';
import { axis, bytes, duration, grouped, instant, type Axis } from '../base/time';
import type { Counts, Metrics } from '../model/api';
import { overviewTiles, tiles } from '../model/data';
import * as s from '../model/state';
import { tileSpan } from '../model/tiles';
import { endOf, toPx, type View } from '../model/view';
import { FONT, FONT_BOLD, prepare, textWidth } from './text';

export const AXIS_H = 30;
export const COUNTER_H = 44;
export const HEADER_H = AXIS_H + 2 * COUNTER_H;
export const OVERVIEW_H = 48;

/** The axis of the present view. */
export function viewAxis(): Axis {
	const v = s.view.peek();
	const { width } = s.size.peek();
	const d = s.info.peek()?.duration_ns ?? 0;
	return axis(Math.max(v.t0, 0), Math.min(endOf(v, { duration: d, width }), d), Math.min(width, d / v.scale));
}

/** What the counters show at a time, for the name column. */
export interface Reading {
	readonly running: number;
	readonly runnable: number;
	readonly gc: number;
	readonly waiting: number;
	readonly heap: number | null;
	readonly goal: number | null;
}

const pickSeries = <T extends { readonly t: number; readonly step: number; readonly n: number }>(fine: T | null, coarse: T | null, t: number): T | null =>
	(fine && t >= fine.t && t < fine.t + fine.n * fine.step ? fine : coarse);

export function readingAt(t: number): Reading | null {
	const c = pickSeries(s.viewCounts.value, s.wholeCounts.value, t);
	const m = pickSeries(s.viewMetrics.value, s.wholeMetrics.value, t);
	if (!c)
		return null;
	const i = Math.min(c.n - 1, Math.max(0, Math.floor((t - c.t) / c.step)));
	const of = (cls: number): number => c.counts[cls - 1]?.[i] ?? 0;
	const j = m ? Math.min(m.n - 1, Math.max(0, Math.floor((t - m.t) / m.step))) : 0;
	return {
		running: of(RUNNING), runnable: of(RUNNABLE), gc: of(GC),
		waiting: of(BLOCKED) + of(LOCK) + of(NETWORK) + of(SYSCALL) + of(SLEEP),
		heap: m?.heap[j] ?? null, goal: m?.goal[j] ?? null,
	};
}

export function drawHeader(canvas: HTMLCanvasElement, ax: Axis): void {
	const { width, dpr } = s.size.peek();
	const ctx = prepare(canvas, width, HEADER_H, dpr);
	if (!ctx || !s.info.peek())
		return;
	const theme = s.theme.peek();
	const v = s.view.peek();
	drawAxis(ctx, theme, v, ax, width);
	ctx.save();
	const d = s.info.peek()!.duration_ns;
	const x0 = Math.max(0, toPx(v, 0));
	const x1 = Math.min(width, toPx(v, d));
	ctx.beginPath();
	ctx.rect(x0, AXIS_H, x1 - x0, HEADER_H);
	ctx.clip();
	const most = counters(ctx, theme, v, AXIS_H, width);
	const size = heap(ctx, theme, v, AXIS_H + COUNTER_H, width);
	ctx.restore();
	scaleLabel(ctx, theme, most, AXIS_H, width);
	scaleLabel(ctx, theme, size, AXIS_H + COUNTER_H, width);
	ctx.fillStyle = css(theme.line);
	for (const y of [AXIS_H - 1, AXIS_H + COUNTER_H - 1, HEADER_H - 1])
		ctx.fillRect(0, y, width, 1);
	header_range(ctx, theme, v, width);
	drawCursor(ctx, theme, v, width);
}

function drawAxis(ctx: CanvasRenderingContext2D, theme: Theme, v: View, ax: Axis, width: number): void {
	ctx.font = FONT;
	let until = -Infinity;
	if (ax.origin > 0) {
		const text = instant(ax.origin, ax.step);
		ctx.font = FONT_BOLD;
		ctx.fillStyle = css(theme.ink);
		ctx.fillText(text, 6, 11);
		until = 6 + textWidth(ctx, text) + 12;
		ctx.font = FONT;
	}
	for (const t of ax.ticks) {
		const x = Math.round(toPx(v, t.t));
		ctx.fillStyle = css(t.rank === 2 ? theme.inkDim : theme.line);
		const h = t.rank === 2 ? 8 : t.rank === 1 ? 6 : 4;
		ctx.fillRect(x, AXIS_H - 1 - h, 1, h);
		if (!t.label)
			continue;
		const w = textWidth(ctx, t.label);
		const left = Math.min(Math.max(x - w / 2, 4), width - w - 4);
		if (left < until)
			continue;
		ctx.fillStyle = css(theme.inkDim);
		ctx.fillText(t.label, left, 11);
		until = left + w + 8;
	}
}

function header_range(ctx: CanvasRenderingContext2D, theme: Theme, v: View, width: number): void {
	const r = s.range.peek();
	if (!r)
		return;
	const a = Math.max(toPx(v, r.t0), 0);
	const b = Math.min(toPx(v, r.t1), width);
	if (b <= a)
		return;
	ctx.fillStyle = css(theme.brush, theme.name === 'dark' ? 0.2 : 0.13);
	ctx.fillRect(a, 0, b - a, HEADER_H);
	ctx.fillStyle = css(theme.brush);
	ctx.fillRect(a, 0, 1, HEADER_H);
	ctx.fillRect(b - 1, 0, 1, HEADER_H);
	pill(ctx, theme, duration(r.t1 - r.t0), (a + b) / 2, 11, width, css(theme.brush));
}

function drawCursor(ctx: CanvasRenderingContext2D, theme: Theme, v: View, width: number): void {
	const t = s.cursor.peek();
	if (t === null)
		return;
	const x = toPx(v, t);
	ctx.fillStyle = css(theme.ink, 0.28);
	ctx.fillRect(Math.round(x), AXIS_H - 8, 1, HEADER_H);
	if (!s.range.peek())
		pill(ctx, theme, instant(t, Math.max(1, 10 ** Math.floor(Math.log10(v.scale)))), x, 11, width, css(theme.inkDim));
}

function pill(ctx: CanvasRenderingContext2D, theme: Theme, text: string, x: number, y: number, width: number, color: string): void {
	ctx.font = FONT_BOLD;
	const w = textWidth(ctx, text) + 12;
	const left = Math.min(Math.max(x - w / 2, 1), width - w - 1);
	ctx.fillStyle = css(theme.bg);
	ctx.strokeStyle = color;
	ctx.lineWidth = 1;
	ctx.beginPath();
	ctx.roundRect(left, y - 9, w, 18, 4);
	ctx.fill();
	ctx.stroke();
	ctx.fillStyle = css(theme.ink);
	ctx.fillText(text, left + 6, y + 0.5);
}

type Series = { readonly t: number; readonly step: number; readonly n: number };

/** Steps of a series that are on screen, widened to at least 1 px each, as [px, px, first, last]. */
function* columns(a: Series, v: View, width: number): Generator<readonly [number, number, number, number]> {
	const per = Math.max(1, Math.ceil(v.scale / a.step));
	const i0 = Math.max(0, Math.floor((v.t0 - a.t) / a.step / per) * per);
	for (let i = i0; i < a.n; i += per) {
		const x0 = toPx(v, a.t + i * a.step);
		if (x0 > width)
			return;
		yield [x0, toPx(v, a.t + Math.min(i + per, a.n) * a.step), i, Math.min(i + per, a.n)];
	}
}

const meanOf = (list: readonly number[] | undefined, from: number, to: number): number => {
	if (!list)
		return 0;
	let sum = 0;
	for (let i = from; i < to; i++)
		sum += list[i]!;
	return sum / Math.max(1, to - from);
};

const seriesFor = (v: View, width: number): { readonly c: Counts | null; readonly m: Metrics | null } => {
	const covers = (a: Series | null): boolean => {
		const d = s.info.peek()!.duration_ns;
		return a !== null && a.t <= Math.max(0, v.t0) && a.t + a.n * a.step >= Math.min(d, v.t0 + v.scale * width)
			&& a.step <= v.scale * 8;
	};
	const fc = s.viewCounts.peek();
	const fm = s.viewMetrics.peek();
	return { c: covers(fc) ? fc : s.wholeCounts.peek() ?? fc, m: covers(fm) ? fm : s.wholeMetrics.peek() ?? fm };
};

/** Smallest round number of at least n. */
export function roundUp(n: number): number {
	if (n <= 1)
		return 1;
	const p = 10 ** Math.floor(Math.log10(n));
	return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map(m => m * p).find(m => m >= n - 1e-9)!;
}

/** Returns what the top of the strip stands for. */
function counters(ctx: CanvasRenderingContext2D, theme: Theme, v: View, y: number, width: number): string {
	const c = seriesFor(v, width).c;
	if (!c)
		return '';
	const bands = [RUNNING, GC, RUNNABLE];
	const cols: { x0: number; x1: number; v: number[] }[] = [];
	let max = 0;
	for (const [x0, x1, a, b] of columns(c, v, width)) {
		const vals = bands.map(k => meanOf(c.counts[k - 1], a, b));
		max = Math.max(max, vals.reduce((p, q) => p + q, 0));
		cols.push({ x0, x1, v: vals });
	}
	max = roundUp(max);
	const h = COUNTER_H - 8;
	const bottom = y + COUNTER_H - 2;
	for (const col of cols) {
		let up = 0;
		const l = Math.round(col.x0);
		const w = Math.max(1, Math.round(col.x1) - l);
		bands.forEach((k, i) => {
			const part = (col.v[i]! / max) * h;
			if (part > 0) {
				ctx.fillStyle = css(theme.state[k]!);
				ctx.fillRect(l, bottom - up - part, w, part);
			}
			up += part;
		});
	}
	return grouped(max, max % 1 ? 1 : 0);
}

function scaleLabel(ctx: CanvasRenderingContext2D, theme: Theme, text: string, y: number, width: number): void {
	if (!text)
		return;
	ctx.font = FONT;
	const w = textWidth(ctx, text) + 8;
	ctx.fillStyle = css(theme.bg, 0.82);
	ctx.fillRect(width - w, y + 2, w, 15);
	ctx.fillStyle = css(theme.inkDim);
	ctx.fillText(text, width - w + 4, y + 10);
}

function heap(ctx: CanvasRenderingContext2D, theme: Theme, v: View, y: number, width: number): string {
	const m = seriesFor(v, width).m;
	if (!m)
		return '';
	let max = 0;
	const cols: { x0: number; x1: number; heap: number | null; goal: number | null }[] = [];
	for (const [x0, x1, a, b] of columns(m, v, width)) {
		let hp: number | null = null;
		for (let i = a; i < b; i++)
			hp = m.heap[i] == null ? hp : Math.max(hp ?? 0, m.heap[i]!);
		const goal = m.goal[b - 1] ?? null;
		max = Math.max(max, hp ?? 0, goal ?? 0);
		cols.push({ x0, x1, heap: hp, goal });
	}
	if (max === 0) {
		ctx.font = FONT;
		ctx.fillStyle = css(theme.inkDim);
		ctx.fillText('no heap samples here', Math.max(8, toPx(v, 0) + 8), y + COUNTER_H / 2);
		return '';
	}
	const h = COUNTER_H - 8;
	const bottom = y + COUNTER_H - 2;
	ctx.fillStyle = css(theme.brush, theme.name === 'dark' ? 0.42 : 0.3);
	for (const c of cols)
		if (c.heap !== null) {
			const l = Math.round(c.x0);
			const p = (c.heap / max) * h;
			ctx.fillRect(l, bottom - p, Math.max(1, Math.round(c.x1) - l), p);
		}
	ctx.strokeStyle = css(theme.accent);
	ctx.lineWidth = 1.25;
	ctx.beginPath();
	let pen = false;
	for (const c of cols) {
		if (c.goal === null) {
			pen = false;
			continue;
		}
		const gy = bottom - (c.goal / max) * h;
		if (pen)
			ctx.lineTo(c.x0, gy);
		else
			ctx.moveTo(c.x0, gy);
		ctx.lineTo(c.x1, gy);
		pen = true;
	}
	ctx.stroke();
	return bytes(max);
}

// ---- the whole trace ----

/** Px of the overview that stand for no time, left and right. */
export const OVERVIEW_PAD = 6;

export const overviewPx = (t: number, width: number, dur: number): number =>
	OVERVIEW_PAD + (t / Math.max(dur, 1)) * (width - 2 * OVERVIEW_PAD);
export const overviewTime = (px: number, width: number, dur: number): number =>
	Math.min(dur, Math.max(0, ((px - OVERVIEW_PAD) / (width - 2 * OVERVIEW_PAD)) * dur));

/** Upwards what uses a proc, downwards what waits for one; each scaled to its own greatest. */
export function drawOverview(canvas: HTMLCanvasElement, width: number): void {
	const dpr = s.size.peek().dpr;
	const ctx = prepare(canvas, width, OVERVIEW_H, dpr);
	const info = s.info.peek();
	if (!ctx || !info)
		return;
	const theme = s.theme.peek();
	const d = info.duration_ns;
	const c = s.wholeCounts.peek();
	const base = 33;
	if (c) {
		const px = Math.max(1, Math.floor(width - 2 * OVERVIEW_PAD));
		const ups = [RUNNING, GC];
		const up: number[][] = [];
		const down: number[] = [];
		let maxUp = 1;
		let maxDown = 1;
		for (let x = 0; x < px; x++) {
			const a = Math.floor((x / px) * d / c.step);
			const b = Math.max(a + 1, Math.ceil(((x + 1) / px) * d / c.step));
			const vals = ups.map(k => meanOf(c.counts[k - 1], a, Math.min(b, c.n)));
			const q = meanOf(c.counts[RUNNABLE - 1], a, Math.min(b, c.n));
			maxUp = Math.max(maxUp, vals[0]! + vals[1]!);
			maxDown = Math.max(maxDown, q);
			up.push(vals);
			down.push(q);
		}
		for (let x = 0; x < px; x++) {
			let y = 0;
			ups.forEach((k, i) => {
				const h = (up[x]![i]! / maxUp) * 27;
				ctx.fillStyle = css(theme.state[k]!);
				ctx.fillRect(OVERVIEW_PAD + x, base - y - h, 1, h);
				y += h;
			});
			const q = (down[x]! / maxDown) * 12;
			if (q > 0) {
				ctx.fillStyle = css(theme.state[RUNNABLE]!);
				ctx.fillRect(OVERVIEW_PAD + x, base + 1, 1, Math.max(q, 0.5));
			}
		}
	}
	ctx.fillStyle = css(theme.line);
	ctx.fillRect(OVERVIEW_PAD, base, width - 2 * OVERVIEW_PAD, 1);
	overviewMarks(ctx, theme, width, d);
	overviewHits(ctx, theme, width, d);
	overviewBrush(ctx, theme, width, d);
}

function overviewMarks(ctx: CanvasRenderingContext2D, theme: Theme, width: number, d: number): void {
	const { zoom, n } = overviewTiles(d);
	for (const [lane, color] of [['gc', theme.state[8]!], ['stw', theme.stw]] as const)
		for (let i = 0; i < n; i++) {
			const t = tiles.get(lane, zoom, i)?.tile;
			if (!t)
				continue;
			const start = i * tileSpan(zoom);
			ctx.fillStyle = css(color);
			for (let r = 0; r < t.n; r++) {
				const a = overviewPx(start + t.x0[r]! * 2 ** zoom, width, d);
				const b = overviewPx(start + t.x1[r]! * 2 ** zoom, width, d);
				if (lane === 'gc')
					ctx.fillRect(a, 0, Math.max(1, b - a), 3);
				else
					ctx.fillRect(a, 0, Math.max(1, Math.min(b - a, 3)), 5);
			}
		}
}

function overviewHits(ctx: CanvasRenderingContext2D, theme: Theme, width: number, d: number): void {
	const h = s.hits.peek();
	if (!h || !s.query.peek())
		return;
	ctx.fillStyle = css(theme.accent);
	h.list.forEach((hit, i) => {
		const x = overviewPx(hit.create_ns ?? 0, width, d);
		const big = i === s.hitAt.peek();
		ctx.fillRect(x - (big ? 1 : 0), OVERVIEW_H - (big ? 9 : 5), big ? 3 : 1, big ? 9 : 5);
	});
}

function overviewBrush(ctx: CanvasRenderingContext2D, theme: Theme, width: number, d: number): void {
	const v = s.view.peek();
	const end = endOf(v, { duration: d, width: s.size.peek().width });
	const a = overviewPx(Math.max(0, v.t0), width, d);
	const b = Math.max(overviewPx(Math.min(d, end), width, d), a + 2);
	const shade = css(theme.name === 'dark' ? [0, 0, 0] : theme.ink, theme.name === 'dark' ? 0.5 : 0.13);
	ctx.fillStyle = shade;
	ctx.fillRect(0, 0, a, OVERVIEW_H);
	ctx.fillRect(b, 0, width - b, OVERVIEW_H);
	ctx.strokeStyle = css(theme.brush);
	ctx.lineWidth = 1;
	ctx.strokeRect(Math.round(a) + 0.5, 0.5, Math.max(Math.round(b - a) - 1, 1), OVERVIEW_H - 1);
	ctx.fillStyle = css(theme.brush);
	for (const x of [a, b])
		ctx.fillRect(Math.round(x) - 1, OVERVIEW_H / 2 - 8, 3, 16);
	const r = s.range.peek();
	if (r) {
		ctx.fillStyle = css(theme.brush, 0.3);
		const x0 = overviewPx(r.t0, width, d);
		ctx.fillRect(x0, 0, Math.max(1, overviewPx(r.t1, width, d) - x0), OVERVIEW_H);
	}
}
