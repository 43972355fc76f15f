// What lies above the lanes: labels, the span under the mouse, the selected one and who woke it, the range.

import { css, type Theme } from '../base/palette';
import { duration } from '../base/time';
import { isKind, sameSpanLanes, wakeOf } from '../model/select';
import * as s from '../model/state';
import { toPx, type View } from '../model/view';
import { findLane, type Label } from './scene';
import { FONT, FONT_BOLD, prepare, textWidth } from './text';

export function drawOverlay(canvas: HTMLCanvasElement, labels: readonly Label[]): void {
	const { width, height, dpr } = s.size.peek();
	const ctx = prepare(canvas, width, height, dpr);
	if (!ctx || !s.info.peek())
		return;
	const theme = s.theme.peek();
	const v = s.view.peek();
	drawLabels(ctx, labels);
	drawRange(ctx, theme, v, width, height);
	drawHover(ctx, theme, v, width);
	drawSelection(ctx, theme, v, width, height);
	const c = s.cursor.peek();
	if (c !== null) {
		ctx.fillStyle = css(theme.ink, 0.28);
		ctx.fillRect(Math.round(toPx(v, c)), 0, 1, height);
	}
}

function drawLabels(ctx: CanvasRenderingContext2D, labels: readonly Label[]): void {
	ctx.font = FONT;
	for (const l of labels) {
		const room = l.w - 8;
		const text = l.texts.find(t => textWidth(ctx, t) <= room);
		if (!text)
			continue;
		if (l.halo) {
			ctx.strokeStyle = l.halo;
			ctx.lineWidth = 3;
			ctx.lineJoin = 'round';
			ctx.strokeText(text, Math.round(l.x) + 4, l.y + l.h / 2 + 0.5);
		}
		ctx.fillStyle = l.ink;
		ctx.fillText(text, Math.round(l.x) + 4, l.y + l.h / 2 + 0.5);
	}
}

function drawRange(ctx: CanvasRenderingContext2D, theme: Theme, v: View, width: number, height: number): void {
	const r = s.range.peek();
	if (!r)
		return;
	const a = toPx(v, r.t0);
	const b = toPx(v, r.t1);
	ctx.fillStyle = css(theme.brush, theme.name === 'dark' ? 0.14 : 0.1);
	ctx.fillRect(Math.max(a, 0), 0, Math.min(b, width) - Math.max(a, 0), height);
	ctx.fillStyle = css(theme.brush);
	for (const x of [a, b])
		if (x >= -1 && x <= width)
			ctx.fillRect(Math.round(x) - (x === b ? 1 : 0), 0, 1, height);
}

function box(ctx: CanvasRenderingContext2D, v: View, lane: string, t0: number, t1: number, width: number, color: string, line: number, fill?: string): { x: number; y: number } | null {
	const at = findLane(lane);
	if (!at)
		return null;
	const x0 = Math.max(toPx(v, t0), -4);
	const x1 = Math.min(Math.max(toPx(v, t1), x0 + 1), width + 4);
	if (x1 < 0 || x0 > width)
		return null;
	const y = at.y + 0.5;
	const w = Math.max(x1 - x0, 2);
	if (fill) {
		ctx.fillStyle = fill;
		ctx.fillRect(x0, y, w, at.h - 2);
	}
	ctx.strokeStyle = color;
	ctx.lineWidth = line;
	ctx.strokeRect(Math.round(x0) + (line % 2 ? 0.5 : 0), y, Math.max(Math.round(w) - (line % 2), 1), at.h - 2);
	return { x: x0, y: at.y + at.h / 2 };
}

function drawHover(ctx: CanvasRenderingContext2D, theme: Theme, v: View, width: number): void {
	const h = s.hover.peek();
	if (h?.run && !isKind(h.lane, 'G'))
		box(ctx, v, h.lane, h.run.t0, h.run.t1, width, css(theme.ink, 0.75), 1, css([255, 255, 255], 0.18));
}

function drawSelection(ctx: CanvasRenderingContext2D, theme: Theme, v: View, width: number, height: number): void {
	const sel = s.selection.peek();
	if (!sel)
		return;
	for (const lane of sameSpanLanes(sel.span).slice(1))
		box(ctx, v, lane, sel.span.start_ns, sel.span.end_ns, width, css(theme.accent, 0.6), 1);
	const self = box(ctx, v, sel.lane, sel.span.start_ns, sel.span.end_ns, width, css(theme.accent), 2);
	const wake = wakeOf(sel);
	if (!wake || !isKind(sel.lane, 'g'))
		return;
	const target = findLane(sel.lane);
	if (!target)
		return;
	const x = toPx(v, wake.at);
	if (x < -20 || x > width + 20)
		return;
	if (self && sel.before && wake.at === sel.before.start_ns)
		box(ctx, v, sel.lane, sel.before.start_ns, sel.before.end_ns, width, css(theme.related), 1);
	const fromLane = [wake.waker.g !== null ? `g${wake.waker.g}` : '', wake.waker.p !== null ? `p${wake.waker.p}` : ''].find(l => l && findLane(l));
	const from = fromLane ? findLane(fromLane) : undefined;
	const color = css(theme.related);
	const ty = target.y + target.h / 2;
	if (from)
		arrow(ctx, x, from.y + from.h / 2, x, ty, color);
	else {
		// Its lane is not on screen: say who, at the side it comes from.
		const up = ty > 44;
		const y0 = up ? ty - 26 : ty + 26;
		arrow(ctx, x, y0, x, ty + (up ? -target.h / 2 : target.h / 2), color);
		chip(ctx, theme, wake.waker.g === null ? 'woken by the runtime' : `woken by g${wake.waker.g}`, x, y0, width, height);
	}
}

function arrow(ctx: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number, color: string): void {
	const down = y1 > y0 ? 1 : -1;
	ctx.strokeStyle = ctx.fillStyle = color;
	ctx.lineWidth = 1.5;
	ctx.beginPath();
	ctx.moveTo(x0, y0);
	if (Math.abs(x1 - x0) < 4)
		ctx.lineTo(x1, y1 - 5 * down);
	else {
		const c = Math.min(30, Math.abs(x1 - x0) / 2);
		ctx.bezierCurveTo(x0 + c, y0, x1 - c, y1, x1, y1 - 5 * down);
	}
	ctx.stroke();
	ctx.beginPath();
	ctx.arc(x0, y0, 2.5, 0, 7);
	ctx.fill();
	ctx.beginPath();
	ctx.moveTo(x1, y1);
	ctx.lineTo(x1 - 4, y1 - 6 * down);
	ctx.lineTo(x1 + 4, y1 - 6 * down);
	ctx.fill();
}

function chip(ctx: CanvasRenderingContext2D, theme: Theme, text: string, x: number, y: number, width: number, height: number): void {
	ctx.font = FONT_BOLD;
	const w = textWidth(ctx, text) + 12;
	const left = Math.min(Math.max(x - w / 2, 2), width - w - 2);
	const top = Math.min(Math.max(y - 9, 2), height - 20);
	ctx.fillStyle = css(theme.bg);
	ctx.strokeStyle = css(theme.related);
	ctx.lineWidth = 1;
	ctx.beginPath();
	ctx.roundRect(left, top, w, 18, 9);
	ctx.fill();
	ctx.stroke();
	ctx.fillStyle = css(theme.ink);
	ctx.fillText(text, left + 6, top + 9.5);
}

/** The length of the selected range, for whoever wants to say it. */
export const rangeText = (): string => {
	const r = s.range.peek();
	return r ? duration(r.t1 - r.t0) : '';
};
