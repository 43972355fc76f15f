// What both painters can do: rectangles, and the runs of a tile.  All px are CSS pixels of the lanes' canvas.

import type { Rgb, Theme } from '../base/palette';
import type { StoredTile } from '../model/tiles';

/** How the runs of a tile become pixels: px = base + run.x * scale, only between clip0 and clip1. */
export interface TileBox {
	readonly base: number;
	readonly scale: number;
	readonly clip0: number;
	readonly clip1: number;
	readonly y: number;
	readonly h: number;
	/** Draw shares as stacked bands, enlarged this much; 0: draw states. */
	readonly stack: number;
	/** One colour for whatever is there, at full height: lanes of rare things, where nothing may fade. */
	readonly solid: Rgb | null;
}

export interface Painter {
	readonly name: 'webgl2' | 'canvas2d';
	resize(width: number, height: number, dpr: number): void;
	begin(theme: Theme): void;
	rect(x: number, y: number, w: number, h: number, color: Rgb, alpha?: number): void;
	tile(t: StoredTile, box: TileBox): void;
	end(): void;
	/** Forgets what it keeps for a tile. */
	free(t: StoredTile): void;
}

/** Where in a lane of height h the state band and the band of marks are: from the lane's top, in px. */
export interface Bands {
	readonly top: number;
	readonly bottom: number;
	readonly mark: number; // height of the band of marks, which begins at `bottom`
}

export function bandsOf(h: number): Bands {
	const gap = h >= 8 ? 1 : 0;
	const mark = h >= 16 ? 3 : h >= 10 ? 2 : 0;
	return { top: gap, bottom: h - gap - mark, mark };
}

export const HATCH_PITCH = 8;
export const HATCH_STRIPE = 2;
export const FADE = 0.34;       // of the width of a span whose start or end is not known,
export const FADE_MAX = 56;     // but not more px than this
export const STRIP_MIN_W = 12;  // px of a blended run that shows its shares at its foot
export const FOLDED_MIX = 0.7;
export const SHADE = 0.16;
/** What little there is in a merged run still covers this much of its colour: never averaged away. */
export const MIN_COVER = 0.16;
