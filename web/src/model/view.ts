// The part of the trace that is on screen, as pure functions.  Time is x, in ns; px are CSS pixels.

export interface View {
	readonly t0: number;    // ns at the left edge
	readonly scale: number; // ns per px
}

export interface Limits {
	readonly duration: number; // ns
	readonly width: number;    // px
}

const edge_px = 12;       // room left and right of the whole trace
const min_scale = 0.02;   // a nanosecond is 50 px at most

export const endOf = (v: View, l: Limits): number => v.t0 + v.scale * l.width;
export const toPx = (v: View, t: number): number => (t - v.t0) / v.scale;
export const toTime = (v: View, px: number): number => v.t0 + px * v.scale;

const inner = (l: Limits): number => Math.max(l.width - 2 * edge_px, 1);
const maxScale = (l: Limits): number => Math.max(l.duration / inner(l), min_scale);

/** The whole trace. */
export function whole(l: Limits): View {
	const scale = maxScale(l);
	return { t0: l.duration / 2 - scale * l.width / 2, scale };
}

/** The nearest view that is inside the trace and its limits of zoom. */
export function clamp(v: View, l: Limits): View {
	const max = maxScale(l);
	const scale = Math.min(Math.max(v.scale, min_scale), max);
	const lo = -edge_px * scale;
	const hi = l.duration + edge_px * scale - scale * l.width;
	if (hi <= lo)
		return scale >= max ? whole(l) : { t0: (lo + hi) / 2, scale };
	return { t0: Math.min(Math.max(v.t0, lo), hi), scale };
}

/** Zooms so that the time under `px` stays there; factor > 1 shows more. */
export function zoomAt(v: View, px: number, factor: number, l: Limits): View {
	const scale = Math.min(Math.max(v.scale * factor, min_scale), maxScale(l));
	return clamp({ t0: v.t0 + px * (v.scale - scale), scale }, l);
}

export const panBy = (v: View, px: number, l: Limits): View => clamp({ t0: v.t0 + px * v.scale, scale: v.scale }, l);

/** Shows [t0, t1] with a margin of `pad` of its length on either side. */
export function fit(t0: number, t1: number, l: Limits, pad = 0.1): View {
	const len = Math.max(t1 - t0, min_scale * l.width / 4);
	const scale = Math.min(Math.max(len * (1 + 2 * pad) / l.width, min_scale), maxScale(l));
	return clamp({ t0: (t0 + t1) / 2 - scale * l.width / 2, scale }, l);
}

/** The nearest view of the same zoom in which [t0, t1], or its beginning where it is too long, stands clear of the edges. */
export function reveal(v: View, t0: number, t1: number, l: Limits): View {
	const margin = Math.min(80, l.width / 8) * v.scale;
	const end = v.t0 + l.width * v.scale;
	if (t1 <= v.t0 + margin / 4 || t0 >= end - margin / 4 || (t0 < v.t0 && t1 <= end)) {
		const len = t1 - t0;
		if (len < l.width * v.scale / 2)
			return clamp({ t0: (t0 + t1) / 2 - l.width * v.scale / 2, scale: v.scale }, l);
		return clamp({ t0: t0 - margin, scale: v.scale }, l);
	}
	return v;
}

/** The power of two of the tiles for a view: a tile's px is one half to one device px. */
export function tileZoom(v: View, dpr: number): number {
	return Math.min(50, Math.max(0, Math.floor(Math.log2(v.scale / dpr) + 1e-9)));
}

/** Between two views, at k of the way: straight in the logarithm of zoom, around what stays put. */
export function between(a: View, b: View, k: number, width: number): View {
	if (k >= 1)
		return b;
	const scale = a.scale * (b.scale / a.scale) ** k;
	const ca = a.t0 + a.scale * width / 2;
	const cb = b.t0 + b.scale * width / 2;
	const f = Math.abs(b.scale - a.scale) < 1e-9 * a.scale ? k : (scale - a.scale) / (b.scale - a.scale);
	const c = ca + (cb - ca) * f;
	return { t0: c - scale * width / 2, scale };
}

/** Views that one can go back to: a jump is an entry, a stretch of panning and zooming is one. */
export class History {
	#back: View[] = [];
	#forward: View[] = [];
	#last = 0;

	/** Notes where we were before a change.  Changes of one kind within a second are one. */
	note(before: View, now_ms: number, jump: boolean): void {
		if (!jump && now_ms - this.#last < 1000 && this.#back.length > 0) {
			this.#last = now_ms;
			return;
		}
		this.#last = jump ? 0 : now_ms;
		this.#back.push(before);
		if (this.#back.length > 200)
			this.#back.shift();
		this.#forward = [];
	}

	undo(here: View): View | undefined {
		const v = this.#back.pop();
		if (v) {
			this.#forward.push(here);
			this.#last = 0;
		}
		return v;
	}

	redo(here: View): View | undefined {
		const v = this.#forward.pop();
		if (v) {
			this.#back.push(here);
			this.#last = 0;
		}
		return v;
	}

	get canUndo(): boolean { return this.#back.length > 0; }
	get canRedo(): boolean { return this.#forward.length > 0; }
}
