// The lanes as a picture: which tiles lie where, and what is under a pixel.

import { CLASS_TITLE, css, HEIGHT, inkOn, NETWORK, NONE, SLEEP, type Rgb, type Theme } from '../base/palette';
import { BLENDED, EXACT, NO_REF, OPEN_START, runAt, type Tile } from '../base/tile';
import { duration } from '../base/time';
import { laneOf, names, overviewTiles, pages, rootZoom, tiles } from '../model/data';
import type { Row } from '../model/lanes';
import { shortFunc } from '../model/names';
import { isKind } from '../model/select';
import * as s from '../model/state';
import { tileSpan, type Placed } from '../model/tiles';
import { endOf, tileZoom, toPx, toTime } from '../model/view';
import { bandsOf, FADE, FADE_MAX, type Painter } from './painter';

/** A span that is wide enough to say something inside. */
export interface Label {
	readonly x: number;
	readonly w: number;
	readonly y: number;
	readonly h: number;
	readonly texts: readonly string[]; // first that fits
	readonly ink: string;
	/** Around the letters, where the band is lower than they are; '' for none. */
	readonly halo: string;
}

/** What one frame drew, for the overlay and for asking what is where. */
export interface Scene {
	readonly labels: readonly Label[];
	/** Some lane still shows a stand-in, or nothing. */
	readonly waiting: boolean;
	/** Runs given to the painter. */
	readonly runs: number;
}

const label_min_px = 24;
const prefetch_rows = 6;

export function drawLanes(p: Painter, gridTimes: readonly number[]): Scene {
	const info = s.info.peek();
	const theme = s.theme.peek();
	const { width, height, dpr } = s.size.peek();
	p.resize(width, height, dpr);
	p.begin(theme);
	tiles.begin();
	if (!info) {
		p.end();
		return { labels: [], waiting: false, runs: 0 };
	}
	const v = s.view.peek();
	const limits = { duration: info.duration_ns, width };
	const layout = s.layout.peek();
	const top = s.scrollTop.peek();
	const rows = layout.visible(top, top + height);
	const t0 = Math.max(v.t0, 0);
	const t1 = Math.min(endOf(v, limits), info.duration_ns);
	const zoom = tileZoom(v, dpr);
	const span = tileSpan(zoom);
	const i0 = Math.max(0, Math.floor(t0 / span));
	const i1 = Math.floor(t1 / span);

	let labels: Label[] = [];
	let waiting = false;
	let runs = 0;
	const one = (row: Row): void => {
		const sec = layout.sections[row.section]!;
		const lane = laneOf(sec, row.index);
		if (lane === undefined)
			waiting = true;
		if (!lane)
			return;
		const y = row.y - top;
		const stack = lane.startsWith('G') ? gain(lane, info.duration_ns) : 0;
		const placed: Placed[] = [];
		for (let i = i0; i <= i1; i++) {
			tiles.want(lane, zoom, i);
			if (!tiles.place(lane, zoom, i, placed))
				waiting = true;
		}
		const solid = lane === 'gc' ? theme.state[8]! : lane === 'stw' ? theme.stw : null;
		let exactUntil = -Infinity;
		for (const q of placed) {
			const per = 2 ** q.stored.zoom / v.scale;
			const clip0 = Math.max(toPx(v, q.from), -2);
			const clip1 = Math.min(toPx(v, q.to), width + 2);
			const base = toPx(v, q.stored.i * tileSpan(q.stored.zoom));
			runs += q.stored.tile.n;
			p.tile(q.stored, { base, scale: per, clip0, clip1, y, h: row.h, stack, solid });
			if (stack === 0 && row.h >= 16)
				exactUntil = collectLabels(q.stored.tile, lane, base, per, clip0, clip1, y, row.h, width, exactUntil, theme, labels, v.scale);
		}
		whiskers(p, theme, lane, y, row.h, v, width, t1);
	};
	const moving = layout.stuck > 0 ? rows.filter(r => r.section > 0) : rows;
	background(p, theme, moving, top, width, 0, height, gridTimes);
	moving.forEach(one);
	if (layout.stuck > 0) {
		labels = labels.filter(l => l.y >= layout.stuck);
		p.rect(0, 0, width, layout.stuck, theme.bg);
		const pinned = rows.filter(r => r.section === 0);
		background(p, theme, pinned, top, width, 0, layout.stuck, gridTimes);
		pinned.forEach(one);
		p.rect(0, layout.stuck - 1, width, 1, theme.inkDim);
	}
	wash(p, theme, zoom, i0, i1, width, height, v);
	outside(p, theme, v, info.duration_ns, width, height);
	p.end();

	const over = overviewTiles(info.duration_ns);
	for (let i = 0; i < over.n; i++)
		for (const lane of ['gc', 'stw'])
			tiles.want(lane, over.zoom, i);
	for (const i of [i1 + 1, i0 - 1])
		for (const row of rows) {
			const lane = laneOf(layout.sections[row.section]!, row.index);
			if (lane)
				tiles.want(lane, zoom, i, true);
		}
	prefetchRows(moving, zoom, i0, i1);
	tiles.commit((t0 + t1) / 2, performance.now());
	return { labels, waiting, runs };
}

/** Rows just above and below the screen, so that scrolling finds them drawn. */
function prefetchRows(rows: readonly Row[], zoom: number, i0: number, i1: number): void {
	const layout = s.layout.peek();
	for (const dir of [1, -1] as const) {
		let r: Row | undefined = dir > 0 ? rows[rows.length - 1] : rows[0];
		for (let k = 0; r && k < prefetch_rows; k++) {
			r = layout.next(r, dir);
			const lane = r && laneOf(layout.sections[r.section]!, r.index);
			if (lane)
				for (let i = i0; i <= i1; i++)
					tiles.want(lane, zoom, i, true);
		}
	}
}

function background(p: Painter, theme: Theme, rows: readonly Row[], top: number, width: number, y0: number, y1: number, grid: readonly number[]): void {
	const current = s.rowOf(s.current.peek());
	const flash = s.flash.peek();
	const layout = s.layout.peek();
	for (const r of rows) {
		const sec = layout.sections[r.section]!;
		if (r.index < 0 && !sec.headLane)
			p.rect(0, r.y - top, width, r.h, theme.bgHead);
		if (current && current.section === r.section && current.index === r.index)
			p.rect(0, r.y - top, width, r.h, theme.bgCurrent);
		if (flash && laneOf(sec, r.index) === flash)
			p.rect(0, r.y - top, width, r.h, theme.accent, 0.18);
	}
	const v = s.view.peek();
	for (const t of grid)
		p.rect(toPx(v, t), y0, 1, y1 - y0, theme.grid);
	for (const r of rows)
		if (r.h >= 12)
			p.rect(0, r.y - top + r.h - 1, width, 1, r.index < 0 ? theme.line : theme.grid);
}

/** How much the stack of a group is enlarged so that its fullest moment fills the lane. */
function gain(lane: string, dur: number): number {
	const zoom = rootZoom(dur);
	tiles.want(lane, zoom, 0);
	const t = tiles.get(lane, zoom, 0)?.tile;
	if (!t)
		return 1;
	let max = 0;
	for (let r = 0; r < t.n; r++) {
		let sum = 0;
		for (let k = 0; k < 8; k++)
			sum += t.share[8 * r + k]!;
		max = Math.max(max, sum);
	}
	return max > 0 ? Math.max(1, 255 / max) : 1;
}

/** The most goroutines of a group that were there at once, as a part of all; undefined while unknown. */
export function peakShare(lane: string, dur: number): number | undefined {
	return tiles.get(lane, rootZoom(dur), 0) ? 1 / gain(lane, dur) : undefined;
}

function collectLabels(
	t: Tile, lane: string, base: number, per: number, clip0: number, clip1: number, y: number, h: number, width: number,
	until: number, theme: Theme, out: Label[], scale: number,
): number {
	const onProc = isKind(lane, 'p') || isKind(lane, 'm');
	const b = bandsOf(h);
	for (let r = 0; r < t.n; r++) {
		if (t.kind[r] === BLENDED || t.cls[r] === NONE)
			continue;
		const L = base + t.x0[r]! * per;
		const R = base + t.x1[r]! * per;
		const x = Math.max(L, 0);
		const w = Math.min(R, width) - x;
		// Part of a span that an earlier tile has labelled already.
		if (w < label_min_px || L >= clip1 || R <= clip0 || x < until - 0.5)
			continue;
		const cls = t.cls[r]!;
		const ns = (R - L) * scale;
		let texts: string[];
		if (t.kind[r] === EXACT) {
			const len = duration(ns);
			const ref = t.ref[r]!;
			const who = onProc && ref !== NO_REF ? names.get(ref) : undefined;
			if (who) {
				const fn = shortFunc(who.name);
				texts = [`g${who.id} ${fn} · ${len}`, `g${who.id} ${fn}`, `g${who.id}`];
			} else if (onProc && ref !== NO_REF)
				texts = [len];
			else
				texts = [`${lane === 'stw' ? 'stop the world' : lane === 'gc' ? 'mark' : CLASS_TITLE[cls]!} · ${len}`, len];
		} else {
			texts = [`×${t.count[r]!} ${CLASS_TITLE[cls]!}`, `×${t.count[r]!}`];
		}
		const full = b.bottom - b.top;
		const high = cls === SLEEP || lane === 'stw' ? full : full * HEIGHT[cls]!;
		// A beginning that is not known fades in: text begins where it is solid enough to carry it.
		const fade = t.flags[r]! & OPEN_START && L >= -FADE_MAX ? Math.max(0, L + Math.min((R - L) * FADE, FADE_MAX) * 0.7 - x) : 0;
		out.push({ x: x + fade, w: w - fade, y: y + b.bottom - high, h: high, texts, ink: lane === 'stw' ? inkOn(theme.stw) : labelInk(cls, theme),
			halo: cls === NETWORK ? css(theme.state[cls]!) : '' });
		until = R;
	}
	return until;
}

/** A sleeper's band is too low for text: there it stands on the lane's ground. */
function labelInk(cls: number, theme: Theme): string {
	if (cls === SLEEP)
		return theme.name === 'light' ? '#3d4757' : '#aab4c3';
	return inkOn(theme.state[cls] as Rgb);
}

/** Before it was created and after it ended, a goroutine is a line. */
function whiskers(p: Painter, theme: Theme, lane: string, y: number, h: number, v: { t0: number; scale: number }, width: number, t1: number): void {
	const g = lane.startsWith('g') && lane !== 'gc' ? pages.known(lane) : undefined;
	if (!g || h < 12)
		return;
	const mid = y + Math.round(h / 2) - 1;
	if (g.create_ns !== null && g.create_ns > 0) {
		const x0 = Math.max(0, toPx(v, 0));
		const x1 = Math.min(width, toPx(v, g.create_ns));
		if (x1 > x0 + 1)
			p.rect(x0, mid, x1 - x0, 1, theme.unborn, 0.55);
	}
	if (g.end_ns !== null) {
		const x = toPx(v, g.end_ns);
		const x1 = Math.min(width, toPx(v, t1));
		if (x1 > Math.max(x, 0) + 4) {
			p.rect(Math.max(x, 0), mid, x1 - Math.max(x, 0), 1, theme.dead, 0.6);
			if (x > -4)
				p.rect(x, y + 2, 3, h - 5, theme.dead);
		}
	}
}

/** Collections and stops, across all lanes. */
function wash(p: Painter, theme: Theme, zoom: number, i0: number, i1: number, width: number, height: number, v: { t0: number; scale: number }): void {
	const mode = s.overlay.peek();
	for (const [lane, color, alpha] of [['gc', theme.state[8]!, 0.13], ['stw', theme.stw, 0.3]] as const) {
		if (mode === 'off' || (lane === 'gc' && mode !== 'both'))
			continue;
		const placed: Placed[] = [];
		for (let i = i0; i <= i1; i++) {
			tiles.want(lane, zoom, i);
			tiles.place(lane, zoom, i, placed);
		}
		for (const q of placed) {
			const per = 2 ** q.stored.zoom / v.scale;
			const base = toPx(v, q.stored.i * tileSpan(q.stored.zoom));
			const clip0 = Math.max(toPx(v, q.from), 0);
			const clip1 = Math.min(toPx(v, q.to), width);
			const t = q.stored.tile;
			for (let r = 0; r < t.n; r++) {
				const a = Math.max(base + t.x0[r]! * per, clip0);
				const b = Math.min(base + t.x1[r]! * per, clip1);
				if (b > a)
					p.rect(a, 0, b - a, height, color, alpha);
			}
		}
	}
}

/** Where there is no trace. */
function outside(p: Painter, theme: Theme, v: { t0: number; scale: number }, dur: number, width: number, height: number): void {
	const x0 = toPx(v, 0);
	const x1 = toPx(v, dur);
	if (x0 > 0)
		p.rect(0, 0, x0, height, theme.bgHead);
	if (x1 < width)
		p.rect(x1, 0, width - x1, height, theme.bgHead);
}

/** What is under a pixel of the lanes. */
export function pick(x: number, y: number): s.Hover | null {
	const info = s.info.peek();
	if (!info)
		return null;
	const layout = s.layout.peek();
	const top = s.scrollTop.peek();
	const row = layout.at(y + top, top);
	if (!row)
		return null;
	const lane = laneOf(layout.sections[row.section]!, row.index) ?? '';
	const at = { x, y, row: s.idOf(row), lane };
	return { ...at, run: lane ? pickRun(lane, x) : null };
}

function pickRun(lane: string, x: number): s.HoverRun | null {
	const v = s.view.peek();
	const zoom = tileZoom(v, s.size.peek().dpr);
	const t = toTime(v, x);
	if (t < 0)
		return null;
	const placed: Placed[] = [];
	tiles.place(lane, zoom, Math.floor(t / tileSpan(zoom)), placed);
	const q = placed.find(c => t >= c.from && t < c.to);
	if (!q)
		return null;
	const px = 2 ** q.stored.zoom;
	const start = q.stored.i * tileSpan(q.stored.zoom);
	const tile = q.stored.tile;
	const r = runAt(tile, (t - start) / px, 2 * v.scale / px);
	if (r < 0)
		return null;
	const share: number[] = [];
	for (let k = 0; k < 8; k++)
		share.push(tile.share[8 * r + k]! / 255);
	return {
		t0: start + tile.x0[r]! * px, t1: start + tile.x1[r]! * px, kind: tile.kind[r]!, cls: tile.cls[r]!,
		count: tile.count[r]!, ref: tile.ref[r]!, marks: tile.marks[r]!, share,
	};
}

/** Where a lane is on screen, if its row is laid out: top and height in px of the lanes' canvas. */
export function findLane(lane: string): { readonly y: number; readonly h: number } | undefined {
	const layout = s.layout.peek();
	const info = s.info.peek();
	if (!info)
		return undefined;
	const top = s.scrollTop.peek();
	const { height } = s.size.peek();
	for (const r of layout.visible(top, top + height))
		if (laneOf(layout.sections[r.section]!, r.index) === lane)
			return { y: r.y - top, h: r.h };
	return undefined;
}
