// Tiles: what to draw of a lane in 512 px of 2^zoom ns each.  The bytes are described in docs/server.md.

export const TILE_PX = 512;
export const EXACT = 0;
export const BLENDED = 1;
export const FOLDED = 2;
export const MARK_STW = 1;
export const MARK_ASSIST = 2;
export const MARK_LOG = 4;
export const MARK_SAMPLE = 8;
export const OPEN_START = 1;
export const OPEN_END = 2;
export const NO_REF = 0xffffffff;

const magic = 0x4c495457;

/** The runs of one lane in one tile, as columns; x in px from the tile's start, reaching beyond it when a span does. */
export interface Tile {
	readonly n: number;
	readonly x0: Float32Array;
	readonly x1: Float32Array;
	readonly count: Uint32Array;
	readonly ref: Uint32Array;
	readonly kind: Uint8Array;
	readonly cls: Uint8Array;
	readonly marks: Uint8Array;
	readonly flags: Uint8Array;
	/** Eight bytes for each run, all 0 for the unblended: shares of classes 1 to 8 in 255ths. */
	readonly share: Uint8Array;
}

export interface TileBatch {
	readonly zoom: number;
	readonly start: number; // ns
	readonly lanes: readonly Tile[];
}

export const EMPTY_TILE: Tile = {
	n: 0, x0: new Float32Array(0), x1: new Float32Array(0), count: new Uint32Array(0), ref: new Uint32Array(0),
	kind: new Uint8Array(0), cls: new Uint8Array(0), marks: new Uint8Array(0), flags: new Uint8Array(0), share: new Uint8Array(0),
};

const pad4 = (n: number): number => (n + 3) & ~3;

/** Views into the answer of /api/tiles, nothing copied but shares.  Throws an Error on bytes that are not such an answer. */
export function decodeTiles(buf: ArrayBuffer): TileBatch {
	if (buf.byteLength < 24)
		throw new Error('tiles: shorter than a header');
	const head = new DataView(buf);
	if (head.getUint32(0, true) !== magic)
		throw new Error('tiles: bad magic');
	if (head.getUint32(4, true) !== 1)
		throw new Error(`tiles: version ${head.getUint32(4, true)}, this page knows 1`);
	const zoom = head.getUint32(8, true);
	const n = head.getUint32(12, true);
	const start = head.getFloat64(16, true);
	let at = 24 + 8 * n;
	if (at > buf.byteLength)
		throw new Error('tiles: cut short');
	const lanes: Tile[] = [];
	for (let i = 0; i < n; i++) {
		const runs = head.getUint32(24 + 8 * i, true);
		const blended = head.getUint32(28 + 8 * i, true);
		if (at + 16 * runs + 4 * pad4(runs) + pad4(8 * blended) > buf.byteLength)
			throw new Error('tiles: cut short');
		if (runs === 0) {
			lanes.push(EMPTY_TILE);
			continue;
		}
		const f32 = (): Float32Array => {
			const v = new Float32Array(buf, at, runs);
			at += 4 * runs;
			return v;
		};
		const u32 = (): Uint32Array => {
			const v = new Uint32Array(buf, at, runs);
			at += 4 * runs;
			return v;
		};
		const u8 = (len: number): Uint8Array => {
			const v = new Uint8Array(buf, at, len);
			at += pad4(len);
			return v;
		};
		const x0 = f32();
		const x1 = f32();
		const count = u32();
		const ref = u32();
		const kind = u8(runs);
		const cls = u8(runs);
		const marks = u8(runs);
		const flags = u8(runs);
		const packed = u8(8 * blended);
		const share = new Uint8Array(8 * runs);
		let b = 0;
		for (let r = 0; r < runs && b < blended; r++)
			if (kind[r] === BLENDED)
				share.set(packed.subarray(8 * b, 8 * ++b), 8 * r);
		lanes.push({ n: runs, x0, x1, count, ref, kind, cls, marks, flags, share });
	}
	return { zoom, start, lanes };
}

/** The run under px x of a tile, or -1; near misses within `slack` px count, the nearest first. */
export function runAt(t: Tile, x: number, slack = 0): number {
	let lo = 0;
	let hi = t.n;
	while (lo < hi) {
		const mid = (lo + hi) >> 1;
		if (t.x0[mid]! <= x)
			lo = mid + 1;
		else
			hi = mid;
	}
	const left = lo - 1;
	if (left >= 0 && t.x1[left]! > x)
		return left;
	const dl = left >= 0 ? x - t.x1[left]! : Infinity;
	const dr = lo < t.n ? t.x0[lo]! - x : Infinity;
	if (Math.min(dl, dr) >= slack)
		return -1;
	return dl <= dr ? left : lo;
}
