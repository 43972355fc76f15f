// The Canvas-2D painter: the same picture without WebGL.

import { blend, css, HEIGHT, shadeOf, STACK_ORDER, toLinear, toSrgb, type Rgb, type Theme } from '../base/palette';
import { BLENDED, EXACT, FOLDED, NO_REF, OPEN_END, OPEN_START, type Tile } from '../base/tile';
import type { StoredTile } from '../model/tiles';
import { bandsOf, FADE, FADE_MAX, FOLDED_MIX, HATCH_PITCH, HATCH_STRIPE, MIN_COVER, SHADE, STRIP_MIN_W, type Bands, type Painter, type TileBox } from './painter';

export function c2dPainter(canvas: HTMLCanvasElement): Painter {
	const ctx = canvas.getContext('2d', { alpha: false });
	if (!ctx)
		throw new Error('this browser can draw neither with WebGL2 nor on a 2-D canvas');
	return new C2dPainter(canvas, ctx);
}

class C2dPainter implements Painter {
	readonly name = 'canvas2d';
	#dpr = 1;
	#theme!: Theme;
	#flat: string[] = [];
	#folded: string[] = [];
	#marks: string[] = [];
	#hatch: CanvasPattern | null = null;

	constructor(private readonly canvas: HTMLCanvasElement, private readonly ctx: CanvasRenderingContext2D) {}

	resize(width: number, height: number, dpr: number): void {
		const w = Math.max(1, Math.round(width * dpr));
		const h = Math.max(1, Math.round(height * dpr));
		this.#dpr = dpr;
		if (this.canvas.width !== w || this.canvas.height !== h) {
			this.canvas.width = w;
			this.canvas.height = h;
			this.#hatch = null;
		}
	}

	begin(theme: Theme): void {
		if (this.#theme !== theme) {
			this.#theme = theme;
			this.#flat = theme.state.map(c => css(c));
			this.#folded = theme.state.map(c => css(mix(theme.bg, c, FOLDED_MIX)));
			this.#marks = [theme.stw, theme.assist, theme.log, theme.sample].map(c => css(c));
		}
		this.#hatch ??= this.#makeHatch();
		this.ctx.setTransform(1, 0, 0, 1, 0, 0);
		this.ctx.fillStyle = css(theme.bg);
		this.ctx.fillRect(0, 0, this.canvas.width, this.canvas.height);
	}

	#makeHatch(): CanvasPattern | null {
		const size = Math.round(HATCH_PITCH * this.#dpr);
		const c = document.createElement('canvas');
		c.width = c.height = size;
		const ctx = c.getContext('2d')!;
		ctx.fillStyle = 'rgba(255,255,255,0.3)';
		for (let y = 0; y < size; y++)
			for (let x = 0; x < size; x++)
				if ((x + y) % size < HATCH_STRIPE * this.#dpr)
					ctx.fillRect(x, y, 1, 1);
		return this.ctx.createPattern(c, 'repeat');
	}

	rect(x: number, y: number, w: number, h: number, color: Rgb, alpha = 1): void {
		const d = this.#dpr;
		const l = Math.round(x * d);
		const t = Math.round(y * d);
		this.ctx.fillStyle = css(color, alpha);
		this.ctx.fillRect(l, t, Math.max(Math.round((x + w) * d) - l, 1), Math.max(Math.round((y + h) * d) - t, 1));
	}

	tile(s: StoredTile, box: TileBox): void {
		const t = s.tile;
		const d = this.#dpr;
		const clip0 = Math.round(box.clip0 * d);
		const clip1 = Math.round(box.clip1 * d);
		const y = Math.round(box.y * d);
		const h = Math.round(box.h * d);
		const b = bandsOf(box.h);
		const bands = { top: b.top * d, bottom: Math.round(b.bottom * d), mark: Math.round(b.mark * d) };
		for (let r = 0; r < t.n; r++) {
			const L = (box.base + t.x0[r]! * box.scale) * d;
			const R = (box.base + t.x1[r]! * box.scale) * d;
			if (R <= clip0 || L >= clip1)
				continue;
			const l = Math.round(Math.min(Math.max(L, clip0), clip1));
			let right = Math.max(Math.round(Math.min(R, clip1)), l + 1);
			if (t.kind[r] === EXACT && right - l >= 3 * d && R <= clip1 + 0.01)
				right -= Math.floor(d);
			if (box.solid) {
				this.ctx.fillStyle = css(box.solid);
				this.ctx.fillRect(l, y + bands.top, right - l, bands.bottom - bands.top);
				if (s.lane === 'gc' && right - l >= 4 * d && this.#hatch) {
					this.ctx.fillStyle = this.#hatch;
					this.ctx.fillRect(l, y + bands.top, right - l, bands.bottom - bands.top);
				}
			} else if (box.stack > 0)
				this.#stack(t, r, l, right - l, y, h, box.stack);
			else
				this.#run(t, r, l, right - l, y, bands, L, R);
		}
	}

	#stack(t: Tile, r: number, x: number, w: number, y: number, h: number, gain: number): void {
		const d = this.#dpr;
		const full = h - 3 * d;
		let up = 0;
		for (const cls of STACK_ORDER) {
			const part = (t.share[8 * r + cls - 1]! / 255) * gain * full;
			if (part <= 0)
				continue;
			const to = Math.min(up + part, full);
			const top = Math.round(y + h - d - to);
			const bottom = Math.round(y + h - d - up);
			if (bottom > top) {
				this.ctx.fillStyle = this.#flat[cls]!;
				this.ctx.fillRect(x, top, w, bottom - top);
			}
			up = to;
		}
		if (up > 0 && up < d) {
			this.ctx.fillStyle = this.#flat[t.cls[r]!]!;
			this.ctx.fillRect(x, y + h - 2 * d, w, d);
		}
	}

	#run(t: Tile, r: number, x: number, w: number, y: number, b: Bands, L: number, R: number): void {
		const ctx = this.ctx;
		const d = this.#dpr;
		const kind = t.kind[r]!;
		const cls = t.cls[r]!;
		const height = kind === BLENDED ? meanHeight(t, r) || HEIGHT[cls]! : HEIGHT[cls]!;
		const hp = Math.max(d, Math.floor((b.bottom - b.top) * height + 0.5));
		const top = y + b.bottom - hp;
		const tall = hp >= 7 * d;
		ctx.fillStyle = this.#color(t, r, kind, cls);
		const open = kind === BLENDED ? 0 : t.flags[r]!;
		if (open)
			this.#fade(ctx, L, R, open);
		ctx.fillRect(x, top, w, hp);
		ctx.globalAlpha = 1;
		if (kind === BLENDED) {
			if (w >= STRIP_MIN_W * d && tall)
				this.#strip(t, r, x, w, y + b.bottom - 2 * d, 2 * d);
		} else if (!open) {
			if (cls === 8 && w >= 4 * d && this.#hatch) {
				ctx.fillStyle = this.#hatch;
				ctx.fillRect(x, top, w, hp);
			}
			if (kind === FOLDED && w >= 6 * d && tall)
				this.#zigzag(x, w, top);
			if (kind === EXACT && w >= 6 * d && tall) {
				ctx.fillStyle = 'rgba(0,0,0,0.18)';
				ctx.fillRect(x, top, w, 1);
				ctx.fillRect(x, top + hp - 1, w, 1);
				if (L >= x - 1)
					ctx.fillRect(x, top + 1, 1, hp - 2);
				if (R <= x + w + 2 * d)
					ctx.fillRect(x + w - 1, top + 1, 1, hp - 2);
			}
			if (cls === 4 && tall) {
				ctx.fillStyle = css(this.#theme.bg);
				for (let i = 0; i < w; i += 4 * d)
					ctx.fillRect(x + i, top, Math.min(2 * d, w - i), d);
			}
		}
		const marks = t.marks[r]!;
		if (marks && b.mark > 0) {
			ctx.fillStyle = this.#marks[marks & 1 ? 0 : marks & 2 ? 1 : marks & 4 ? 2 : 3]!;
			const thin = w > 8 * d;
			ctx.fillRect(x, y + b.bottom + (thin ? b.mark - d : 0), w, thin ? d : b.mark);
		}
	}

	#color(t: Tile, r: number, kind: number, cls: number): string {
		if (kind === BLENDED)
			return css(blend(this.#theme.state, t.share, 8 * r, this.#theme.bg, MIN_COVER, cls));
		if (kind === FOLDED)
			return this.#folded[cls]!;
		const ref = t.ref[r]!;
		return ref === NO_REF ? this.#flat[cls]! : css(shaded(this.#theme.state[cls]!, shadeOf(ref)));
	}

	#fade(ctx: CanvasRenderingContext2D, L: number, R: number, open: number): void {
		const base = ctx.fillStyle as string;
		const [r, g, b] = /^#/.test(base)
			? [1, 3, 5].map(i => parseInt(base.slice(i, i + 2), 16))
			: base.match(/\d+/g)!.map(Number);
		const lo = Math.max(L, -1e5);
		const grad = ctx.createLinearGradient(lo, 0, Math.max(Math.min(R, 1e5), lo + 1), 0);
		const c = (a: number): string => `rgba(${r},${g},${b},${a})`;
		const f = Math.min(0.5, Math.min((R - L) * FADE, FADE_MAX * this.#dpr) / Math.max(Math.min(R, 1e5) - lo, 1));
		grad.addColorStop(0, c(open & OPEN_START ? 0.25 : 1));
		grad.addColorStop(f, c(1));
		grad.addColorStop(1 - f, c(1));
		grad.addColorStop(1, c(open & OPEN_END ? 0.25 : 1));
		ctx.fillStyle = grad;
	}

	#strip(t: Tile, r: number, x: number, w: number, y: number, h: number): void {
		let total = 0;
		for (let k = 0; k < 8; k++)
			total += t.share[8 * r + k]!;
		let at = x;
		for (const cls of STACK_ORDER) {
			const part = (t.share[8 * r + cls - 1]! / total) * w;
			if (part > 0) {
				this.ctx.fillStyle = this.#flat[cls]!;
				this.ctx.fillRect(at, y, part, h);
				at += part;
			}
		}
	}

	#zigzag(x: number, w: number, top: number): void {
		const ctx = this.ctx;
		const d = this.#dpr;
		ctx.fillStyle = css(this.#theme.bg);
		ctx.beginPath();
		for (let i = 0; i < w; i += 6 * d) {
			ctx.moveTo(x + i, top);
			ctx.lineTo(x + i, top + 3 * d);
			ctx.lineTo(x + Math.min(i + 3 * d, w), top);
			ctx.lineTo(x + Math.min(i + 6 * d, w), top + 3 * d);
			ctx.lineTo(x + Math.min(i + 6 * d, w), top);
		}
		ctx.fill();
	}

	end(): void {}
	free(): void {}
}

function meanHeight(t: Tile, r: number): number {
	let sum = 0;
	let h = 0;
	for (let k = 0; k < 8; k++) {
		sum += t.share[8 * r + k]!;
		h += t.share[8 * r + k]! * HEIGHT[k + 1]!;
	}
	return sum > 0 ? h / sum : 0;
}

function mix(a: Rgb, b: Rgb, k: number): Rgb {
	const one = (i: 0 | 1 | 2): number => Math.round(toSrgb(toLinear(a[i]) * (1 - k) + toLinear(b[i]) * k));
	return [one(0), one(1), one(2)];
}

function shaded(c: Rgb, shade: number): Rgb {
	const one = (i: 0 | 1 | 2): number => Math.round(toSrgb(Math.min(1, toLinear(c[i]) * (1 + SHADE * shade))));
	return [one(0), one(1), one(2)];
}
