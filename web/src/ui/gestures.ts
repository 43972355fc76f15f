// Mouse, pen and fingers over the lanes, the axis and the overview.

import { BLENDED } from '../base/tile';
import * as s from '../model/state';
import { clamp, fit, panBy, toTime, zoomAt } from '../model/view';
import { overviewPx, overviewTime } from '../draw/strips';
import { pick } from '../draw/scene';
import * as a from './actions';

const click_px = 4;        // a press that moved less is a click
const wheel_zoom = 0.0022; // halvings per wheel px
const line_px = 16;

type Handlers = { readonly [K in keyof HTMLElementEventMap]?: (e: HTMLElementEventMap[K]) => void };

/** Listens until the answer is called.  Not passive: wheels decide who scrolls. */
function listen(el: HTMLElement, handlers: Handlers): () => void {
	const end = new AbortController();
	for (const [type, f] of Object.entries(handlers))
		el.addEventListener(type, f as EventListener, { passive: false, signal: end.signal });
	return () => end.abort();
}

const wheelPx = (e: WheelEvent): readonly [number, number] => {
	const k = e.deltaMode === 1 ? line_px : e.deltaMode === 2 ? 400 : 1;
	return [e.deltaX * k, e.deltaY * k];
};

function zoomWheel(px: number, dy: number, pinch: boolean): void {
	const f = 2 ** (Math.max(-240, Math.min(240, dy)) * wheel_zoom * (pinch ? 4 : 1.6));
	a.setView(zoomAt(s.view.peek(), px, f, a.limits()));
}

/** The wheel over lanes scrolls them; with Ctrl, or where there is nothing to scroll, it zooms; with Shift it pans. */
export function lanesWheel(e: WheelEvent, px: number): void {
	const [dx, dy] = wheelPx(e);
	const scrolls = s.layout.peek().height > s.size.peek().height + 1;
	if (e.ctrlKey || e.metaKey || e.altKey) {
		e.preventDefault();
		zoomWheel(px, dy, e.ctrlKey && e.deltaMode === 0 && Math.abs(dy) < 40);
	} else if (e.shiftKey) {
		e.preventDefault();
		a.pan(dy || dx);
	} else if (Math.abs(dx) > Math.abs(dy)) {
		e.preventDefault();
		a.pan(dx);
	} else if (!scrolls) {
		e.preventDefault();
		zoomWheel(px, dy, false);
	} else {
		e.preventDefault();
		a.setScroll(s.scrollTop.peek() + dy);
		const h = s.hover.peek();
		if (h)
			s.hover.value = pick(h.x, h.y);
	}
}

/** The wheel over axis, counters and overview zooms. */
export function stripWheel(e: WheelEvent, px: number): void {
	const [dx, dy] = wheelPx(e);
	e.preventDefault();
	if (e.shiftKey || Math.abs(dx) > Math.abs(dy))
		a.pan(dx || dy);
	else
		zoomWheel(px, dy, e.ctrlKey && Math.abs(dy) < 40);
}

const at = (e: PointerEvent | MouseEvent, el: HTMLElement): { x: number; y: number } => {
	const r = el.getBoundingClientRect();
	return { x: e.clientX - r.left, y: e.clientY - r.top };
};

export function attachLanes(el: HTMLElement): () => void {
	const pointers = new Map<number, { x: number; y: number }>();
	let mode: '' | 'pan' | 'range' | 'zoom' | 'pinch' = '';
	let from = { x: 0, y: 0 };
	let last = { x: 0, y: 0 };
	let anchor = 0;
	let moved = false;

	const down = (e: PointerEvent): void => {
		if (e.button > 1)
			return;
		el.setPointerCapture(e.pointerId);
		from = last = at(e, el);
		pointers.set(e.pointerId, from);
		moved = false;
		anchor = toTime(s.view.peek(), from.x);
		mode = pointers.size === 2 ? 'pinch' : e.shiftKey || e.button === 1 ? 'range' : e.ctrlKey || e.metaKey ? 'zoom' : 'pan';
		if (e.button === 1)
			e.preventDefault();
	};
	const move = (e: PointerEvent): void => {
		const p = at(e, el);
		s.cursor.value = toTime(s.view.peek(), p.x);
		const was = pointers.get(e.pointerId);
		if (!was) {
			s.hover.value = pick(p.x, p.y);
			return;
		}
		pointers.set(e.pointerId, p);
		if (mode === 'pinch') {
			pinch(e.pointerId, was, p);
			return;
		}
		if (!moved && Math.hypot(p.x - from.x, p.y - from.y) < click_px)
			return;
		moved = true;
		s.hover.value = null;
		if (mode === 'pan') {
			a.setView(panBy(s.view.peek(), last.x - p.x, a.limits()));
			a.setScroll(s.scrollTop.peek() + last.y - p.y);
			el.classList.add('panning');
		} else {
			a.setRange(anchor, toTime(s.view.peek(), p.x));
		}
		last = p;
	};
	const pinch = (id: number, was: { x: number; y: number }, now: { x: number; y: number }): void => {
		const other = [...pointers].find(([k]) => k !== id)?.[1];
		if (!other)
			return;
		moved = true;
		const before = Math.max(20, Math.abs(was.x - other.x));
		const after = Math.max(20, Math.abs(now.x - other.x));
		const mid = (now.x + other.x) / 2;
		const v = zoomAt(s.view.peek(), mid, before / after, a.limits());
		a.setView(panBy(v, -(now.x - was.x) / 2, a.limits()));
	};
	const up = (e: PointerEvent): void => {
		if (!pointers.delete(e.pointerId))
			return;
		el.classList.remove('panning');
		const p = at(e, el);
		if (mode === 'pinch') {
			mode = '';
			pointers.clear();
			return;
		}
		if (!moved && mode !== 'zoom')
			click(p.x, p.y, e.shiftKey);
		else if (mode === 'range')
			a.commitRange();
		else if (mode === 'zoom' && moved) {
			const r = s.range.peek();
			s.range.value = null;
			if (r)
				a.goTo(fit(r.t0, r.t1, a.limits(), 0));
		}
		mode = '';
	};
	const leave = (): void => {
		if (pointers.size > 0)
			return;
		s.hover.value = null;
		s.cursor.value = null;
	};
	const cancel = (e: PointerEvent): void => {
		pointers.delete(e.pointerId);
		el.classList.remove('panning');
		mode = '';
	};
	const twice = (e: MouseEvent): void => {
		const p = at(e, el);
		const h = pick(p.x, p.y);
		if (h?.run && !h.lane.startsWith('G'))
			a.goTo(fit(h.run.t0, h.run.t1, a.limits(), 0.15));
		else
			a.setView(zoomAt(s.view.peek(), p.x, 0.5, a.limits()));
	};
	const wheel = (e: WheelEvent): void => lanesWheel(e, at(e, el).x);

	return listen(el, { pointerdown: down, pointermove: move, pointerup: up, pointercancel: cancel, pointerleave: leave, dblclick: twice, wheel });
}

function click(x: number, y: number, shift: boolean): void {
	if (shift)
		return;
	const h = pick(x, y);
	if (!h) {
		a.clearSelection();
		return;
	}
	s.current.value = h.row;
	if (h.lane.startsWith('G')) {
		a.clearSelection();
		a.openDrawer('selection');
		return;
	}
	const v = s.view.peek();
	if (!h.run) {
		// Nothing is drawn there, perhaps not yet.
		if (h.lane)
			void a.selectAt(h.lane, toTime(v, x));
		else
			a.clearSelection();
		return;
	}
	const r = h.run;
	// Inside a merged run the time under the mouse decides; a single span is hit anywhere in it, even beside its one px.
	const t = toTime(v, x);
	const inside = r.kind === BLENDED ? t : Math.min(Math.max(t, r.t0), Math.max(r.t0, r.t1 - 1));
	void a.selectAt(h.lane, inside, 4 * v.scale + 2 ** Math.ceil(Math.log2(Math.max(v.scale, 1))));
}

/** Axis and counters: a drag selects a range, a click clears it. */
export function attachHeader(el: HTMLElement): () => void {
	let anchor: number | null = null;
	let from = 0;
	let moved = false;
	const down = (e: PointerEvent): void => {
		if (e.button !== 0)
			return;
		el.setPointerCapture(e.pointerId);
		from = at(e, el).x;
		anchor = toTime(s.view.peek(), from);
		moved = false;
		// An edge of the range can be taken hold of.
		const r = s.range.peek();
		if (r) {
			const v = s.view.peek();
			const near = (t: number): boolean => Math.abs((t - v.t0) / v.scale - from) < 5;
			if (near(r.t0))
				anchor = r.t1;
			else if (near(r.t1))
				anchor = r.t0;
		}
	};
	const move = (e: PointerEvent): void => {
		const x = at(e, el).x;
		const t = toTime(s.view.peek(), x);
		s.cursor.value = t;
		if (anchor === null)
			return;
		if (Math.abs(x - from) >= click_px)
			moved = true;
		if (moved)
			a.setRange(anchor, t);
	};
	const up = (): void => {
		if (anchor === null)
			return;
		anchor = null;
		if (moved)
			a.commitRange();
		else
			s.range.value = null;
	};
	const leave = (): void => {
		if (anchor === null)
			s.cursor.value = null;
	};
	const wheel = (e: WheelEvent): void => stripWheel(e, at(e, el).x);
	return listen(el, { pointerdown: down, pointermove: move, pointerup: up, pointercancel: up, pointerleave: leave, wheel });
}

/** Overview: drag the brush or its edges, or draw a new one. */
export function attachOverview(el: HTMLElement): () => void {
	let mode: '' | 'new' | 'move' | 'left' | 'right' = '';
	let from = 0;
	let start = { t0: 0, t1: 0 };
	const dur = (): number => a.limits().duration;
	const time = (x: number): number => overviewTime(x, el.clientWidth, dur());
	const brush = (): { t0: number; t1: number; x0: number; x1: number } => {
		const v = s.view.peek();
		const t0 = Math.max(0, v.t0);
		const t1 = Math.min(dur(), v.t0 + v.scale * a.limits().width);
		return { t0, t1, x0: overviewPx(t0, el.clientWidth, dur()), x1: overviewPx(t1, el.clientWidth, dur()) };
	};
	const zone = (x: number): typeof mode => {
		const b = brush();
		const all = b.t1 - b.t0 >= dur() * 0.999;
		if (all)
			return 'new';
		if (Math.abs(x - b.x0) <= 5)
			return 'left';
		if (Math.abs(x - b.x1) <= 5)
			return 'right';
		return x > b.x0 && x < b.x1 ? 'move' : 'new';
	};
	const show = (t0: number, t1: number): void =>
		a.setView(fit(Math.min(t0, t1), Math.max(t0, t1), a.limits(), 0));
	const down = (e: PointerEvent): void => {
		if (e.button !== 0)
			return;
		el.setPointerCapture(e.pointerId);
		from = at(e, el).x;
		mode = zone(from);
		start = brush();
	};
	const move = (e: PointerEvent): void => {
		const x = at(e, el).x;
		if (mode === '') {
			const z = zone(x);
			el.style.cursor = z === 'left' || z === 'right' ? 'ew-resize' : z === 'move' ? 'grab' : 'crosshair';
			return;
		}
		if (Math.abs(x - from) < click_px && mode === 'new')
			return;
		if (mode === 'new')
			show(time(from), time(x));
		else if (mode === 'left')
			show(Math.min(time(x), start.t1), start.t1);
		else if (mode === 'right')
			show(start.t0, Math.max(time(x), start.t0));
		else {
			const dt = time(x) - time(from);
			a.setView(clamp({ t0: start.t0 + dt, scale: s.view.peek().scale }, a.limits()));
		}
	};
	const up = (e: PointerEvent): void => {
		const x = at(e, el).x;
		if (mode === 'new' && Math.abs(x - from) < click_px) {
			const v = s.view.peek();
			a.goTo({ t0: time(x) - v.scale * a.limits().width / 2, scale: v.scale });
		}
		mode = '';
	};
	const wheel = (e: WheelEvent): void => {
		const t = time(at(e, el).x);
		const v = s.view.peek();
		const px = Math.min(Math.max((t - v.t0) / v.scale, 0), a.limits().width);
		stripWheel(e, px);
	};
	return listen(el, { pointerdown: down, pointermove: move, pointerup: up, pointercancel: up, wheel });
}
