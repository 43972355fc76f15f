// What is loaded, seen and selected.  Plain signals; whoever draws reads them, whoever acts sets them.

import { computed, signal, type ReadonlySignal } from '@preact/signals-core';

import { DARK, LIGHT, type Theme } from '../base/palette';
import type { Counts, Hit, Info, Loading, Metrics, Span } from './api';
import type { Told } from './answers';
import { Layout, sectionsOf, type Row, type RowHeights, type Section } from './lanes';
import type { View } from './view';

/** A row by name: it stays the same when sections open and close. */
export interface RowId {
	readonly section: string;
	readonly index: number; // -1: the header
}

export interface Selection {
	readonly lane: string;
	readonly span: Span;
	/** Spans of its goroutine around it, where they say who woke it: the wait before a running span, the one after a
	 * blocked span.  null: none; undefined: not known yet. */
	readonly before: Span | null | undefined;
	readonly after: Span | null | undefined;
}

export interface Range {
	readonly t0: number;
	readonly t1: number;
}

export interface Hover {
	readonly x: number; // px in the lanes
	readonly y: number;
	readonly row: RowId;
	readonly lane: string;
	readonly run: HoverRun | null;
}

export interface HoverRun {
	readonly t0: number;
	readonly t1: number;
	readonly kind: number;
	readonly cls: number;
	readonly count: number;
	readonly ref: number;
	readonly marks: number;
	readonly share: readonly number[]; // of classes 1 .. 8, 0 .. 1
}

export type Overlay = 'off' | 'stw' | 'both';
export type ThemeChoice = 'auto' | 'light' | 'dark';
export const TABS = ['findings', 'selection', 'range', 'goroutines', 'profile', 'latency', 'cause', 'gc', 'objects', 'trace'] as const;
export type Tab = typeof TABS[number];

export const info = signal<Info | null>(null);
export const loading = signal<Loading | null>(null);
/** The trace cannot be shown at all. */
export const fatal = signal<string | null>(null);
/** The last request failed; what is here stays usable. */
export const trouble = signal<string | null>(null);

export const view = signal<View>({ t0: 0, scale: 1 });
export const size = signal({ width: 1, height: 1, dpr: 1 });
export const scrollTop = signal(0);
export const nameWidth = signal(300);

export const open = signal<ReadonlySet<string>>(new Set());
export const laneHeight = signal<RowHeights>(20);
/** Lanes that stay at the top. */
export const pins = signal<readonly string[]>([]);
export const sections: ReadonlySignal<readonly Section[]> = computed(() => (info.value ? sectionsOf(info.value, open.value, pins.value) : []));
export const layout: ReadonlySignal<Layout> = computed(() => new Layout(sections.value, laneHeight.value));

export const current = signal<RowId | null>(null);
export const hover = signal<Hover | null>(null);
export const cursor = signal<number | null>(null); // time under the mouse
export const selection = signal<Selection | null>(null);
export const range = signal<Range | null>(null);
/** A lane that a jump led to, shown for a moment. */
export const flash = signal<string | null>(null);

export const drawer = signal<{ readonly open: boolean; readonly tab: Tab; readonly height: number }>({ open: false, tab: 'selection', height: 232 });
export const help = signal(false);
export const overlay = signal<Overlay>('both');
export const themeChoice = signal<ThemeChoice>('auto');
export const systemDark = signal(false);
/** Paper is light. */
export const printing = signal(false);
export const theme: ReadonlySignal<Theme> = computed(() =>
	!printing.value && (themeChoice.value === 'dark' || (themeChoice.value === 'auto' && systemDark.value)) ? DARK : LIGHT);
export const singleKeys = signal(true);
export const calm = signal(false); // prefers-reduced-motion

export const query = signal('');
export const searching = signal(false);
export const hits = signal<{ readonly q: string; readonly total: number; readonly list: readonly Hit[] } | null>(null);
export const hitAt = signal(-1);
/** Messages of the program that the search found. */
export const logHits = signal<Told | null>(null);
export const searchOpen = signal(false);

export const wholeCounts = signal<Counts | null>(null);
export const wholeMetrics = signal<Metrics | null>(null);
export const viewCounts = signal<Counts | null>(null);
export const viewMetrics = signal<Metrics | null>(null);
export const rangeCounts = signal<{ readonly range: Range; readonly counts: Counts } | null>(null);

/** The first view has been drawn, with all its tiles. */
export const drawn = signal(false);

/** How much is odd about the whole trace, and how bad the worst of it is; null: not known yet. */
export const odd = signal<{ readonly n: number; readonly worst: number } | null>(null);

/** Lanes that have been waiting for a tile for a while. */
export const slow = signal<ReadonlySet<string>>(new Set());

/** Counts jumps: to each the browser's Back returns. */
export const jumps = signal(0);

/** For the polite live region. */
export const spoken = signal('');
/** What an action has to say to everybody, for a moment. */
export const told = signal('');
/** Counts up when tiles, lanes or names arrived. */
export const arrivals = signal(0);
export const painterName = signal('');

export function rowOf(id: RowId | null): Row | undefined {
	if (!id)
		return undefined;
	const i = sections.value.findIndex(s => s.id === id.section);
	return i < 0 ? undefined : layout.value.row(i, id.index);
}

export const idOf = (r: Row): RowId => ({ section: sections.value[r.section]!.id, index: r.index });
export const sameRow = (a: RowId | null, b: RowId | null): boolean => a !== null && b !== null && a.section === b.section && a.index === b.index;
