// The one place where data is asked for: tiles, pages of lanes, names, series.

import { answer, question, type Findings } from './answers';
import { api, ApiError, isAbort, type Counts, type Metrics } from './api';
import { LanePages, type Section } from './lanes';
import { RowNames } from './names';
import { tileSpan, TileStore, type StoredTile } from './tiles';
import * as s from './state';
import { endOf, type View } from './view';

const bump = (): void => {
	s.arrivals.value++;
	if (s.trouble.peek() !== null)
		s.trouble.value = null;
};

export function complain(e: unknown): void {
	if (!isAbort(e))
		s.trouble.value = e instanceof Error ? e.message : String(e);
}

/** The painter's part in dropping a tile; set once there is one. */
export const onDrop: { free: (t: StoredTile) => void } = { free: () => undefined };

export const tiles = new TileStore(api.tiles, bump, complain, t => onDrop.free(t), () => s.info.peek()?.duration_ns ?? 0);
export const pages = new LanePages((g, from, n) => api.lanes(g, from, n), bump, complain);
export const names = new RowNames(api.rows, bump, complain);

/** The lane that a row draws; '' for none, undefined while its page is being fetched. */
export function laneOf(sec: Section, index: number): string | undefined {
	if (index < 0)
		return sec.headLane;
	const info = s.info.peek();
	switch (sec.kind) {
	case 'pinned': return s.pins.peek()[index] ?? '';
	case 'gc': return index === 0 ? 'gc' : 'stw';
	case 'procs': return info?.proc_lanes[index]?.lane ?? '';
	case 'threads': return info?.thread_lanes[index]?.lane ?? '';
	case 'group': return pages.get(sec.group!.group, index)?.lane;
	default: return '';
	}
}

/** The zoom of the tile that holds the whole trace. */
export const rootZoom = (duration: number): number => Math.max(0, Math.ceil(Math.log2(Math.max(duration, 1) / 512)));

/** Tile zoom and indices that draw the overview's marks: four tiles across. */
export function overviewTiles(duration: number): { readonly zoom: number; readonly n: number } {
	const zoom = Math.max(0, rootZoom(duration) - 2);
	return { zoom, n: Math.floor(duration / tileSpan(zoom)) + 1 };
}

// ---- series: counts of goroutines, heap ----

const overview_points = 1024;
const px_per_point = 2;

export async function loadWhole(): Promise<void> {
	const d = s.info.peek()!.duration_ns;
	const step = Math.max(1, Math.ceil((d + 1) / overview_points));
	const n = Math.max(1, Math.ceil((d + 1) / step));
	const [counts, metrics] = await Promise.all([api.counts(0, step, n), api.metrics(0, step, n)]);
	s.wholeCounts.value = counts;
	s.wholeMetrics.value = metrics;
}

/** How much is odd about the whole trace: to be asked when the page stands, for it takes a pass over all events, on all processors. */
export async function loadOdd(): Promise<void> {
	const f = await answer<Findings>(question('findings', {}));
	s.odd.value = { n: f.n_findings, worst: f.worst };
}

let asked: { readonly t: number; readonly step: number; readonly n: number } | null = null;
let flight: AbortController | null = null;
let seriesDue = false;
let timer: ReturnType<typeof setTimeout> | undefined;

const covers = (a: { readonly t: number; readonly step: number; readonly n: number } | null, t0: number, t1: number, step: number): boolean =>
	a !== null && a.step === step && a.t <= t0 && a.t + a.n * a.step >= t1;

/** Whether counters are on their way. */
export const seriesBusy = (): boolean => seriesDue;

/** Asks for the counters of a view and half a screen on either side, unless they are here or on their way. */
export function wantSeries(v: View, width: number): void {
	const d = s.info.peek()?.duration_ns ?? 0;
	const step = Math.max(1, 2 ** Math.floor(Math.log2(Math.max(v.scale * px_per_point, 1))));
	const t0 = Math.max(0, v.t0);
	const t1 = Math.min(d, endOf(v, { duration: d, width }));
	if (covers(asked, t0, t1, step))
		return;
	const pad = (t1 - t0) / 2;
	const from = Math.floor(Math.max(0, t0 - pad) / step) * step;
	const n = Math.min(4096, Math.ceil((Math.min(d + step, t1 + pad) - from) / step) + 1);
	asked = { t: from, step, n };
	clearTimeout(timer);
	seriesDue = true;
	timer = setTimeout(() => {
		flight?.abort();
		const mine = flight = new AbortController();
		Promise.all([api.counts(from, step, n, undefined, mine.signal), api.metrics(from, step, n, mine.signal)]).then(
			([c, m]: [Counts, Metrics]) => {
				s.viewCounts.value = c;
				s.viewMetrics.value = m;
				seriesDue = false;
			},
			(e: unknown) => {
				if (!isAbort(e)) {
					seriesDue = false;
					asked = null;
					complain(e);
				}
			});
	}, 40);
}

let rangeFlight: AbortController | null = null;

/** Asks how many goroutines were in which state in a range. */
export function wantRange(r: s.Range): void {
	rangeFlight?.abort();
	const mine = rangeFlight = new AbortController();
	const step = Math.max(1, Math.round(r.t1 - r.t0));
	api.counts(Math.floor(r.t0), step, 1, undefined, mine.signal).then(counts => {
		s.rangeCounts.value = { range: r, counts };
	}, complain);
}

/** Reads /api/info until the server has the trace; calls `then` once, and `meanwhile` if there is time before that. */
export async function load(meanwhile: () => void, then: () => void): Promise<void> {
	for (let failures = 0;;) {
		try {
			const a = await api.info();
			if (a.loading) {
				if (!s.loading.peek())
					setTimeout(meanwhile);
				s.loading.value = a;
				await new Promise(r => setTimeout(r, 50));
				continue;
			}
			s.loading.value = null;
			for (const g of a.groups)
				if (g.only)
					pages.learn(g.group, g.only);
			s.info.value = a;
			then();
			return;
		} catch (e) {
			// A server that has only just started may need a moment; one that answers "no" does not.
			if (e instanceof ApiError && e.status === 0 && ++failures < 4) {
				await new Promise(r => setTimeout(r, 250 * failures));
				continue;
			}
			s.loading.value = null;
			s.fatal.value = e instanceof Error ? e.message : String(e);
			return;
		}
	}
}
