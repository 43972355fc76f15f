// Tiles that were fetched, and those that are on their way.  A frame says what it wants; what no frame wants is aborted.

import { decodeTiles, EMPTY_TILE, TILE_PX, type Tile } from '../base/tile';

export interface StoredTile {
	readonly lane: string;
	readonly zoom: number;
	readonly i: number;
	readonly tile: Tile;
	/** For the painter: what it made of the tile.  Freed with it. */
	gpu: unknown;
}

export interface Placed {
	readonly stored: StoredTile;
	/** Part of the tile to draw, in ns. */
	readonly from: number;
	readonly to: number;
}

interface Request {
	readonly zoom: number;
	readonly i: number;
	readonly lanes: readonly string[];
	readonly abort: AbortController;
}

export interface TileSource {
	(zoom: number, i: number, lanes: readonly string[], signal: AbortSignal): Promise<ArrayBuffer>;
}

const key = (lane: string, zoom: number, i: number): string => `${lane}/${zoom}/${i}`;

export const tileSpan = (zoom: number): number => TILE_PX * 2 ** zoom;

export const MAX_LANES = 256; // of a request
const max_requests = 6;       // at a time, as many as browsers have connections to a host
const max_tiles = 8000;

export class TileStore {
	#tiles = new Map<string, StoredTile>(); // oldest use first
	#wanted = new Map<string, { lane: string; zoom: number; i: number; prefetch: boolean }>();
	#flying = new Map<string, Request>();
	#requests = new Set<Request>();
	#failedUntil = new Map<string, number>();
	#pendingSince = new Map<string, number>(); // by lane

	constructor(
		private readonly source: TileSource,
		private readonly arrived: () => void,
		private readonly failed: (e: unknown) => void,
		private readonly drop: (t: StoredTile) => void,
		private readonly duration: () => number,
	) {}

	/** Begins a frame: nothing is wanted yet. */
	begin(): void {
		this.#wanted.clear();
	}

	/** A tile if it is here; marks it as used. */
	get(lane: string, zoom: number, i: number): StoredTile | undefined {
		const k = key(lane, zoom, i);
		const t = this.#tiles.get(k);
		if (t) {
			this.#tiles.delete(k);
			this.#tiles.set(k, t);
		}
		return t;
	}

	want(lane: string, zoom: number, i: number, prefetch = false): void {
		const k = key(lane, zoom, i);
		if (!this.#tiles.has(k) && !this.#wanted.has(k) && i >= 0 && i * tileSpan(zoom) <= this.duration())
			this.#wanted.set(k, { lane, zoom, i, prefetch });
	}

	/** What to draw of a lane in tile (zoom, i): the tile itself, else the best that is here, coarser first, then finer. */
	place(lane: string, zoom: number, i: number, out: Placed[]): boolean {
		const span = tileSpan(zoom);
		const from = i * span;
		const exact = this.get(lane, zoom, i);
		if (exact) {
			out.push({ stored: exact, from, to: from + span });
			return true;
		}
		for (let k = 1; k <= 50 - zoom && k <= 24; k++) {
			const t = this.get(lane, zoom + k, Math.floor(i / 2 ** k));
			if (t) {
				// Finer ones that cover it whole are better than a stretched one.
				const finer: Placed[] = [];
				if (this.#finer(lane, zoom, i, 2, finer))
					out.push(...finer);
				else
					out.push({ stored: t, from, to: from + span });
				return false;
			}
		}
		this.#finer(lane, zoom, i, 3, out);
		return false;
	}

	/** Adds what there is below (zoom, i); true if that covers it. */
	#finer(lane: string, zoom: number, i: number, depth: number, out: Placed[]): boolean {
		if (zoom === 0 || depth === 0)
			return false;
		let all = true;
		for (const j of [2 * i, 2 * i + 1]) {
			const from = j * tileSpan(zoom - 1);
			if (from > this.duration())
				continue;
			const t = this.get(lane, zoom - 1, j);
			if (t)
				out.push({ stored: t, from, to: from + tileSpan(zoom - 1) });
			else if (!this.#finer(lane, zoom - 1, j, depth - 1, out))
				all = false;
		}
		return all;
	}

	/** Ends a frame: aborts what it did not want, asks for what is missing.  Tiles near `center` come first. */
	commit(center: number, now: number): void {
		for (const r of [...this.#requests])
			if (!r.lanes.some(l => this.#wanted.has(key(l, r.zoom, r.i)))) {
				this.#forget(r);
				r.abort.abort();
			}
		const waiting = new Set([...this.#wanted.values()].filter(w => !w.prefetch).map(w => w.lane));
		for (const lane of [...this.#pendingSince.keys()])
			if (!waiting.has(lane))
				this.#pendingSince.delete(lane);
		for (const w of this.#wanted.values())
			if (!w.prefetch && !this.#pendingSince.has(w.lane))
				this.#pendingSince.set(w.lane, now);
		this.#send(center, now);
		this.#evict();
	}

	/** Lanes that have waited for a visible tile since before `then` (ms). */
	waitingSince(then: number): Set<string> {
		return new Set([...this.#pendingSince].filter(([, t]) => t <= then).map(([lane]) => lane));
	}

	get busy(): boolean {
		return this.#requests.size > 0;
	}

	get size(): number {
		return this.#tiles.size;
	}

	#send(center: number, now: number): void {
		const batches = new Map<string, { zoom: number; i: number; prefetch: boolean; lanes: string[] }>();
		for (const [k, w] of this.#wanted) {
			if (this.#flying.has(k) || (this.#failedUntil.get(k) ?? 0) > now)
				continue;
			const id = `${w.zoom}/${w.i}/${w.prefetch}`;
			let b = batches.get(id);
			if (!b)
				batches.set(id, b = { zoom: w.zoom, i: w.i, prefetch: w.prefetch, lanes: [] });
			b.lanes.push(w.lane);
		}
		const far = (b: { zoom: number; i: number; prefetch: boolean }): number =>
			Math.abs((b.i + 0.5) * tileSpan(b.zoom) - center) / tileSpan(b.zoom) + (b.prefetch ? 1e6 : 0);
		for (const b of [...batches.values()].sort((x, y) => far(x) - far(y)))
			for (let at = 0; at < b.lanes.length; at += MAX_LANES) {
				if (this.#requests.size >= (b.prefetch ? 1 : max_requests))
					return;
				this.#fetch(b.zoom, b.i, b.lanes.slice(at, at + MAX_LANES));
			}
	}

	#fetch(zoom: number, i: number, lanes: readonly string[]): void {
		const r: Request = { zoom, i, lanes, abort: new AbortController() };
		this.#requests.add(r);
		for (const l of lanes)
			this.#flying.set(key(l, zoom, i), r);
		this.source(zoom, i, lanes, r.abort.signal).then(buf => {
			const got = decodeTiles(buf);
			if (got.lanes.length !== lanes.length)
				throw new Error(`tiles: ${got.lanes.length} lanes for ${lanes.length}`);
			lanes.forEach((lane, at) => this.#put({ lane, zoom, i, tile: got.lanes[at] ?? EMPTY_TILE, gpu: undefined }));
			this.#forget(r);
			this.arrived();
		}).catch((e: unknown) => {
			this.#forget(r);
			if (r.abort.signal.aborted)
				return;
			const until = performance.now() + 2000;
			for (const l of lanes)
				this.#failedUntil.set(key(l, zoom, i), until);
			setTimeout(() => this.arrived(), 2050);
			this.failed(e);
		});
	}

	#put(t: StoredTile): void {
		const k = key(t.lane, t.zoom, t.i);
		const old = this.#tiles.get(k);
		if (old)
			this.drop(old);
		this.#tiles.delete(k);
		this.#tiles.set(k, t);
		this.#failedUntil.delete(k);
	}

	#forget(r: Request): void {
		this.#requests.delete(r);
		for (const l of r.lanes)
			if (this.#flying.get(key(l, r.zoom, r.i)) === r)
				this.#flying.delete(key(l, r.zoom, r.i));
	}

	#evict(): void {
		for (const [k, t] of this.#tiles) {
			if (this.#tiles.size <= max_tiles)
				return;
			this.#tiles.delete(k);
			this.drop(t);
		}
	}

	/** Drops what the painter made, as after a lost context; the tiles stay. */
	resetGpu(): void {
		for (const t of this.#tiles.values())
			t.gpu = undefined;
	}
}
