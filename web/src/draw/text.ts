// Text on canvases: widths are measured once.

export const FONT = '11px system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif';
export const FONT_SMALL = '10.5px system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif';
export const FONT_BOLD = '600 11px system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif';

const widths = new Map<string, number>();

export function textWidth(ctx: CanvasRenderingContext2D, text: string): number {
	const k = ctx.font + text;
	let w = widths.get(k);
	if (w === undefined) {
		if (widths.size > 20000)
			widths.clear();
		widths.set(k, w = ctx.measureText(text).width);
	}
	return w;
}

/** A canvas at the size and resolution asked for, cleared, drawing in CSS px. */
export function prepare(canvas: HTMLCanvasElement, width: number, height: number, dpr: number): CanvasRenderingContext2D | null {
	const w = Math.max(1, Math.round(width * dpr));
	const h = Math.max(1, Math.round(height * dpr));
	if (canvas.width !== w || canvas.height !== h) {
		canvas.width = w;
		canvas.height = h;
	}
	const ctx = canvas.getContext('2d');
	if (!ctx)
		return null;
	ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
	ctx.clearRect(0, 0, width, height);
	ctx.textBaseline = 'middle';
	return ctx;
}
