// Draws on demand: a signal changes, one animation frame later the canvases that show it are drawn.

import { effect } from '@preact/signals-core';

import { tiles, wantSeries } from '../model/data';
import * as s from '../model/state';
import { drawOverlay } from '../draw/overlay';
import type { Painter } from '../draw/painter';
import { drawLanes, type Scene } from '../draw/scene';
import { drawHeader, drawOverview, viewAxis } from '../draw/strips';

export interface Canvases {
	readonly overlay: HTMLCanvasElement;
	readonly header: HTMLCanvasElement;
	readonly overview: HTMLCanvasElement;
	/** undefined while the context is lost. */
	readonly painter: () => Painter | undefined;
}

/** Frames drawn since the page was opened, and whether one is due: a page at rest draws none. */
export const stats = { frames: 0, runs: 0, waiting: true, pending: true };

const slow_ms = 150;

export function startFrames(c: Canvases): { readonly stop: () => void; readonly again: () => void; readonly now: () => void } {
	let lanes = true;
	let overlay = true;
	let header = true;
	let overview = true;
	let frame = 0;
	let scene: Scene = { labels: [], waiting: false, runs: 0 };
	let slow: ReturnType<typeof setTimeout> | undefined;

	const schedule = (): void => {
		stats.pending = true;
		if (frame === 0)
			frame = requestAnimationFrame(draw);
	};

	const draw = (): void => {
		frame = 0;
		stats.frames++;
		const { width } = s.size.peek();
		const info = s.info.peek();
		const ax = info ? viewAxis() : { step: 1, ticks: [], origin: 0 };
		const painter = c.painter();
		if (lanes && painter) {
			scene = drawLanes(painter, ax.ticks.filter(t => t.rank === 2).map(t => t.t));
			lanes = false;
			overlay = true;
			if (info)
				wantSeries(s.view.peek(), width);
			stats.runs = scene.runs;
			stats.waiting = scene.waiting;
			if (info && !scene.waiting && !s.drawn.peek()) {
				s.drawn.value = true;
				performance.mark('weft:drawn', { detail: { runs: scene.runs, painter: painter.name } });
			}
			clearTimeout(slow);
			if (scene.waiting)
				slow = setTimeout(() => { s.slow.value = tiles.waitingSince(performance.now() - slow_ms + 5); }, slow_ms);
			else if (s.slow.peek().size > 0)
				s.slow.value = new Set();
		}
		if (overlay) {
			overlay = false;
			drawOverlay(c.overlay, scene.labels);
		}
		if (header) {
			header = false;
			drawHeader(c.header, ax);
		}
		if (overview) {
			overview = false;
			drawOverview(c.overview, c.overview.clientWidth);
		}
		stats.pending = frame !== 0;
	};

	const stops = [
		effect(() => {
			void [s.view.value, s.size.value, s.scrollTop.value, s.layout.value, s.arrivals.value, s.current.value, s.flash.value, s.theme.value, s.overlay.value, s.info.value];
			lanes = header = overview = true;
			schedule();
		}),
		effect(() => {
			void [s.hover.value, s.cursor.value, s.selection.value, s.range.value];
			overlay = header = true;
			schedule();
		}),
		effect(() => {
			void [s.viewCounts.value, s.viewMetrics.value];
			header = true;
			schedule();
		}),
		effect(() => {
			void [s.wholeCounts.value, s.wholeMetrics.value, s.range.value, s.hits.value, s.hitAt.value];
			overview = header = true;
			schedule();
		}),
	];
	return {
		stop: () => {
			stops.forEach(f => f());
			cancelAnimationFrame(frame);
		},
		again: () => {
			lanes = overlay = header = overview = true;
			schedule();
		},
		now: () => {
			lanes = overlay = header = overview = true;
			cancelAnimationFrame(frame);
			draw();
		},
	};
}
