// A scroll bar for heights that a browser's elements cannot have: beyond MAX the thumb stands for a place, scaled.

/** Well under what browsers allow an element (about 33 M px in Chromium, 18 M px in Firefox). */
export const MAX_SCROLL_PX = 8_000_000;

export interface Scroll {
	readonly content: number;  // px of all rows
	readonly viewport: number; // px of what is on screen
}

/** Height of the element that makes the browser's own bar. */
export const spacer = (s: Scroll): number => Math.min(Math.max(s.content, s.viewport), MAX_SCROLL_PX);

const ratio = (s: Scroll): number => {
	const real = Math.max(s.content - s.viewport, 0);
	const bar = Math.max(spacer(s) - s.viewport, 0);
	return bar > 0 ? real / bar : 1;
};

export const scaled = (s: Scroll): boolean => s.content > MAX_SCROLL_PX;
export const toContent = (s: Scroll, barTop: number): number => barTop * ratio(s);
export const toBar = (s: Scroll, top: number): number => top / ratio(s);
export const clampTop = (s: Scroll, top: number): number => Math.min(Math.max(top, 0), Math.max(s.content - s.viewport, 0));
