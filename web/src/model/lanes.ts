// Which lanes there are, in what order, and where: sections one under the other, each a header row and lanes that it opens to.
// A section of 100,000 lanes costs as much as one of three: rows are computed, not kept.

import type { GoroutineLane, Group, Info } from './api';

export const HEAD_H = 24;   // px of a header row
export const GROUP_H = 28;  // px of a header row that draws a group
export type RowHeights = 20 | 12 | 5;

export type SectionKind = 'pinned' | 'gc' | 'procs' | 'threads' | 'goroutines' | 'group';

export interface Section {
	readonly kind: SectionKind;
	readonly id: string;         // "procs", "group 3"
	readonly title: string;
	readonly head: boolean;      // has a header row
	readonly headLane: string;   // what the header row draws, or ''
	readonly foldable: boolean;
	readonly open: boolean;
	readonly n: number;          // lanes inside
	readonly group: Group | null;
}

export interface Row {
	readonly section: number;
	readonly index: number;      // of the lane in its section, -1: the header
	readonly y: number;
	readonly h: number;
}

/** Sections of a trace.  `open` holds the ids of those that the user opened or, with a "!" before, closed; pinned lanes come
 * first. */
export function sectionsOf(info: Info, open: ReadonlySet<string>, pins: readonly string[] = []): Section[] {
	const isOpen = (id: string, byDefault: boolean): boolean => (byDefault ? !open.has(`!${id}`) : open.has(id));
	const threads = info.thread_lanes.length;
	const all = isOpen('goroutines', true);
	const out: Section[] = [
		{ kind: 'gc', id: 'gc', title: 'Garbage collection', head: false, headLane: '', foldable: false, open: true, n: 2, group: null },
		{
			kind: 'procs', id: 'procs', title: 'Procs', head: true, headLane: '', foldable: true,
			open: isOpen('procs', true), n: info.proc_lanes.length, group: null,
		},
		{
			kind: 'threads', id: 'threads', title: 'Threads', head: true, headLane: '', foldable: true,
			open: isOpen('threads', threads <= 4), n: threads, group: null,
		},
		{ kind: 'goroutines', id: 'goroutines', title: 'Goroutines', head: true, headLane: '', foldable: true, open: all, n: 0, group: null },
	];
	if (pins.length > 0)
		out.unshift({ kind: 'pinned', id: 'pinned', title: 'Pinned', head: false, headLane: '', foldable: false, open: true, n: pins.length, group: null });
	if (!all)
		return out;
	for (const g of info.groups) {
		if (g.n === 0)
			continue;
		const id = `group ${g.group}`;
		const one = g.n === 1; // its only goroutine stands in the header's place
		out.push({
			kind: 'group', id, title: g.name, head: !one, headLane: one ? '' : `G${g.group}`, foldable: !one,
			open: one || isOpen(id, false), n: g.n, group: g,
		});
	}
	return out;
}

export class Layout {
	/** y of each section's top; one more for the end. */
	readonly top: Float64Array;
	readonly height: number;
	/** px of pinned rows: they stay at the top of the screen, whatever is scrolled. */
	readonly stuck: number;

	constructor(readonly sections: readonly Section[], readonly laneH: number) {
		this.top = new Float64Array(sections.length + 1);
		let y = 0;
		sections.forEach((s, i) => {
			this.top[i] = y;
			y += this.headH(s) + (s.open ? s.n * laneH : 0);
		});
		this.top[sections.length] = y;
		this.height = y;
		this.stuck = sections[0]?.kind === 'pinned' ? this.top[1]! : 0;
	}

	headH(s: Section): number {
		return !s.head ? 0 : s.headLane ? GROUP_H : HEAD_H;
	}

	/** The section at y, by bisection. */
	#sectionAt(y: number): number {
		let lo = 0;
		let hi = this.sections.length;
		while (lo < hi) {
			const mid = (lo + hi) >> 1;
			if (this.top[mid + 1]! <= y)
				lo = mid + 1;
			else
				hi = mid;
		}
		return lo;
	}

	row(section: number, index: number): Row | undefined {
		const s = this.sections[section];
		if (!s || (index < 0 ? !s.head : !s.open || index >= s.n))
			return undefined;
		const y = this.top[section]!;
		return index < 0
			? { section, index: -1, y, h: this.headH(s) }
			: { section, index, y: y + this.headH(s) + index * this.laneH, h: this.laneH };
	}

	/** The row at a height, if any, where the screen begins at `top`. */
	at(y: number, top = 0): Row | undefined {
		if (y < 0 || y >= this.height)
			return undefined;
		if (y >= top && y - top < this.stuck) {
			const index = Math.floor((y - top) / this.laneH);
			return { section: 0, index, y: top + index * this.laneH, h: this.laneH };
		}
		const i = this.#sectionAt(y);
		const s = this.sections[i]!;
		const inside = y - this.top[i]! - this.headH(s);
		return this.row(i, inside < 0 ? -1 : Math.floor(inside / this.laneH));
	}

	/** Rows that touch the screen [y0, y1), from above: pinned ones, then those that are seen beneath them. */
	visible(y0: number, y1: number): Row[] {
		const rows: Row[] = [];
		const top = Math.max(y0, 0);
		for (let y = 0; y < this.stuck; y += this.laneH)
			rows.push(this.at(top + y, top)!);
		for (let r = this.at(top + this.stuck, top); r && r.y < y1; r = this.next(r, 1))
			rows.push(r);
		return rows;
	}

	/** The row below (1) or above (-1). */
	next(r: Row, dir: 1 | -1): Row | undefined {
		const s = this.sections[r.section]!;
		const lanes = s.open ? s.n : 0;
		const i = r.index + dir;
		if (i >= (s.head ? -1 : 0) && i < lanes)
			return this.row(r.section, i);
		for (let k = r.section + dir; k >= 0 && k < this.sections.length; k += dir) {
			const t = this.sections[k]!;
			const n = t.open ? t.n : 0;
			if (t.head || n > 0)
				return this.row(k, dir > 0 ? (t.head ? -1 : 0) : n - 1 >= 0 ? n - 1 : -1);
		}
		return undefined;
	}

	/** How many rows there are and which one this is, for screen readers. */
	ordinal(r: Row): number {
		let k = 0;
		for (let i = 0; i < r.section; i++) {
			const s = this.sections[i]!;
			k += (s.head ? 1 : 0) + (s.open ? s.n : 0);
		}
		return k + (this.sections[r.section]!.head ? 1 : 0) + r.index;
	}
}

/** Goroutine lanes of open groups, loaded by pages as they come into sight. */
export class LanePages {
	static readonly PAGE = 256;
	#pages = new Map<string, readonly GoroutineLane[]>();
	#asked = new Set<string>();
	#byLane = new Map<string, GoroutineLane>();

	constructor(
		private readonly load: (group: number, from: number, n: number) => Promise<{ readonly lanes: readonly GoroutineLane[] }>,
		private readonly changed: () => void,
		private readonly failed: (e: unknown) => void,
	) {}

	/** The lane, or undefined while it is being fetched. */
	get(group: number, index: number): GoroutineLane | undefined {
		const page = Math.floor(index / LanePages.PAGE);
		const key = `${group}/${page}`;
		const got = this.#pages.get(key);
		if (got)
			return got[index - page * LanePages.PAGE];
		if (!this.#asked.has(key)) {
			this.#asked.add(key);
			this.load(group, page * LanePages.PAGE, LanePages.PAGE).then(a => {
				this.#pages.set(key, a.lanes);
				for (const l of a.lanes)
					this.#byLane.set(l.lane, l);
				this.changed();
			}, (e: unknown) => {
				this.failed(e);
				setTimeout(() => {
					this.#asked.delete(key);
					this.changed();
				}, 2000);
			});
		}
		return undefined;
	}

	/** The one lane of a group of one. */
	learn(group: number, lane: GoroutineLane): void {
		this.#pages.set(`${group}/0`, [lane]);
		this.#byLane.set(lane.lane, lane);
	}

	/** A lane that was found in another way. */
	remember(lane: GoroutineLane): void {
		if (!this.#byLane.has(lane.lane))
			this.#byLane.set(lane.lane, lane);
	}

	/** What is known of a lane already. */
	known(lane: string): GoroutineLane | undefined {
		return this.#byLane.get(lane);
	}
}
