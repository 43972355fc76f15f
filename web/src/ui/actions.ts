// What a user can do, without saying how he asked for it.

import { CLASS_TITLE } from '../base/palette';
import { duration, parseTime } from '../base/time';
import { answer, filter, profileKind, question, type LogLine, type Told } from '../model/answers';
import { api, type Hit, type Span } from '../model/api';
import { complain, laneOf, pages, wantRange } from '../model/data';
import type { Section } from '../model/lanes';
import { shortFunc } from '../model/names';
import { clampTop, type Scroll } from '../model/scroll';
import { classIndex, isKind, wakeOf } from '../model/select';
import * as s from '../model/state';
import { between, clamp, endOf, fit, History, panBy, reveal, toPx, whole, zoomAt, type Limits, type View } from '../model/view';

export const limits = (): Limits => ({ duration: s.info.peek()?.duration_ns ?? 1, width: s.size.peek().width });

const history = new History();
const glide_ms = 180;

// ---- what is seen ----

let target: View | null = null;
let glide = 0;

function stopGlide(): void {
	cancelAnimationFrame(glide);
	target = null;
}

/** Moves by hand: at once. */
export function setView(v: View): void {
	stopGlide();
	const c = clamp(v, limits());
	const old = s.view.peek();
	if (c.t0 === old.t0 && c.scale === old.scale)
		return;
	history.note(old, performance.now(), false);
	s.view.value = c;
}

/** Goes somewhere else: eased, unless the user asked for calm; one entry of the history. */
export function goTo(v: View, note = true): void {
	const to = clamp(v, limits());
	const from = s.view.peek();
	stopGlide();
	if (to.t0 === from.t0 && to.scale === from.scale)
		return;
	if (note) {
		history.note(from, performance.now(), true);
		s.jumps.value++;
	}
	if (s.calm.peek()) {
		s.view.value = to;
		return;
	}
	target = to;
	const t0 = performance.now();
	const tick = (now: number): void => {
		const k = Math.min(1, Math.max(0, (now - t0) / glide_ms));
		s.view.value = k >= 1 ? to : between(from, to, 1 - (1 - k) ** 3, limits().width);
		if (k < 1)
			glide = requestAnimationFrame(tick);
		else
			target = null;
	};
	glide = requestAnimationFrame(tick);
}

export const gliding = (): boolean => target !== null;

/** Where we are going, or are. */
export const destination = (): View => target ?? s.view.peek();

export const zoomBy = (factor: number, px = focusPx()): void => setView(zoomAt(s.view.peek(), px, factor, limits()));
export const pan = (px: number): void => setView(panBy(s.view.peek(), px, limits()));
export const zoomWhole = (): void => goTo(whole(limits()));
export const undo = (): void => { const v = history.undo(s.view.peek()); if (v) goTo(v, false); };
export const redo = (): void => { const v = history.redo(s.view.peek()); if (v) goTo(v, false); };

/** Keys zoom at the mouse when it is over the lanes, else at the selected span, else in the middle. */
export function focusPx(): number {
	const width = s.size.peek().width;
	const c = s.cursor.peek();
	const v = s.view.peek();
	if (c !== null)
		return Math.min(Math.max(toPx(v, c), 0), width);
	const sel = s.selection.peek()?.span;
	if (sel) {
		const x = toPx(v, (sel.start_ns + sel.end_ns) / 2);
		if (x >= 0 && x <= width)
			return x;
	}
	return width / 2;
}

export function toStart(): void {
	goTo({ t0: -Infinity, scale: s.view.peek().scale });
}

export function toEnd(): void {
	const v = s.view.peek();
	goTo({ t0: limits().duration, scale: v.scale });
}

/** Fits the range, else the selected span, else the row's life; a second time, its surroundings. */
export function fitSelection(): void {
	const r = s.range.peek();
	const span = s.selection.peek()?.span;
	if (r)
		goTo(fit(r.t0, r.t1, limits(), 0.02));
	else if (span)
		goTo(fit(span.start_ns, span.end_ns, limits(), 0.4));
	else {
		const row = s.rowOf(s.current.peek());
		const lane = row && laneOf(s.sections.peek()[row.section]!, row.index);
		const g = lane ? pages.known(lane) : undefined;
		if (g)
			goTo(fit(g.create_ns ?? 0, g.end_ns ?? limits().duration, limits(), 0.05));
	}
}

// ---- rows ----

export const scrollState = (): Scroll => ({ content: s.layout.peek().height, viewport: s.size.peek().height });

export function setScroll(top: number): void {
	s.scrollTop.value = clampTop(scrollState(), top);
}

export function revealRow(id: s.RowId, middle = false): void {
	const r = s.rowOf(id);
	if (!r)
		return;
	const { stuck } = s.layout.peek();
	if (r.section === 0 && stuck > 0)
		return; // a pinned row is always in sight
	const h = s.size.peek().height;
	const top = s.scrollTop.peek();
	if (middle && (r.y < top + stuck || r.y + r.h > top + h))
		setScroll(r.y - (h + stuck - r.h) / 2);
	else if (r.y < top + stuck)
		setScroll(r.y - stuck);
	else if (r.y + r.h > top + h)
		setScroll(r.y + r.h - h);
}

export function setOpen(sec: Section, want: boolean): void {
	if (!sec.foldable || sec.open === want)
		return;
	const next = new Set(s.open.peek());
	next.delete(sec.id);
	next.delete(`!${sec.id}`);
	next.add(want ? sec.id : `!${sec.id}`);
	s.open.value = next;
	setScroll(s.scrollTop.peek());
}

export const toggle = (sec: Section): void => setOpen(sec, !sec.open);

export function setCurrent(id: s.RowId): void {
	s.current.value = id;
	revealRow(id);
}

export function moveRow(dir: 1 | -1, by = 1): void {
	const l = s.layout.peek();
	let r = s.rowOf(s.current.peek()) ?? l.at(s.scrollTop.peek());
	if (!r)
		return;
	if (s.rowOf(s.current.peek()))
		for (let k = 0; k < by; k++)
			r = l.next(r, dir) ?? r;
	const id = s.idOf(r);
	setCurrent(id);
	const sec = l.sections[r.section]!;
	if (r.index < 0)
		say(`${sec.title}, ${sec.n} lanes, ${sec.open ? 'open' : 'closed'}`);
}

export function firstRow(last: boolean): void {
	const l = s.layout.peek();
	const r = l.at(last ? l.height - 1 : 0);
	if (r)
		setCurrent(s.idOf(r));
}

/** The lane of the row that the keyboard is on. */
export function currentLane(): string {
	const r = s.rowOf(s.current.peek());
	return (r && laneOf(s.sections.peek()[r.section]!, r.index)) || '';
}

const pins_most = 12;

/** Pins a lane at the top, or lets it go. */
export function togglePin(lane: string): void {
	const pins = s.pins.peek();
	const row = s.current.peek();
	if (pins.includes(lane))
		s.pins.value = pins.filter(l => l !== lane);
	else if (pins.length < pins_most)
		s.pins.value = [...pins, lane];
	else
		tell(`${pins_most} rows are pinned already: let one go first.`);
	if (row?.section === 'pinned')
		s.current.value = null;
	setScroll(s.scrollTop.peek());
}

export function pinCurrent(): void {
	const lane = currentLane() || s.selection.peek()?.lane;
	if (!lane) {
		tell('No lane is chosen: choose one with the up and down keys, or click it.');
		return;
	}
	const was = s.pins.peek();
	togglePin(lane);
	if (s.pins.peek() !== was)
		tell(was.includes(lane) ? `${lane} is no longer pinned` : `${lane} is pinned at the top`);
}

export function cycleHeight(dir: 1 | -1): void {
	const all = [20, 12, 5] as const;
	const i = all.indexOf(s.laneHeight.peek());
	const keep = s.current.peek();
	s.laneHeight.value = all[Math.min(2, Math.max(0, i + dir))]!;
	setScroll(s.scrollTop.peek());
	if (keep)
		revealRow(keep);
}

// ---- selection ----

let token = 0;

export const say = (text: string): void => { s.spoken.value = text; };

const told_ms = 2600;
let toldTimer: ReturnType<typeof setTimeout> | undefined;

/** Says it and shows it: what else would leave a key without any sign that it was pressed. */
export function tell(text: string): void {
	say(text);
	s.told.value = text;
	clearTimeout(toldTimer);
	toldTimer = setTimeout(() => { s.told.value = ''; }, told_ms);
}

/** Puts text on the clipboard.  Pages that do not come from this machine have no navigator.clipboard. */
export function copy(text: string, done: string): void {
	const byHand = (): void => {
		const area = document.createElement('textarea');
		area.value = text;
		area.className = 'sr';
		document.body.append(area);
		const focused = document.activeElement;
		area.select();
		tell(document.execCommand('copy') ? done : 'The browser does not allow copying.');
		area.remove();
		if (focused instanceof HTMLElement)
			focused.focus();
	};
	if (navigator.clipboard)
		navigator.clipboard.writeText(text).then(() => tell(done), byHand);
	else
		byHand();
}

export function sentence(span: Span): string {
	const who = span.lane === 'gc' ? 'mark phase' : span.lane === 'stw' ? 'stop the world' : span.lane;
	const state = CLASS_TITLE[classIndex(span.class)] ?? span.class;
	return `${who} ${state} ${duration(span.end_ns - span.start_ns)}${span.reason ? `, ${span.reason}` : ''}`;
}

/** Pictures and tables want more room than a span's details. */
const roomy: readonly s.Tab[] = ['findings', 'goroutines', 'profile', 'latency', 'cause', 'gc', 'objects'];

export function openDrawer(tab: s.Tab): void {
	const d = s.drawer.peek();
	if (!d.open || d.tab !== tab)
		s.jumps.value++;
	const least = roomy.includes(tab) ? Math.round(Math.min(380, window.innerHeight * 0.45)) : 0;
	s.drawer.value = { open: true, tab, height: Math.max(d.height, least) };
}

/** `drawer`: as it was when the span was asked for; who has opened something else meanwhile keeps that. */
function choose(span: Span, lane: string, drawer = s.drawer.peek()): void {
	const mine = ++token;
	s.selection.value = { lane, span, before: undefined, after: undefined };
	if (s.drawer.peek() === drawer)
		openDrawer('selection');
	say(sentence(span));
	const g = span.g === null ? '' : `g${span.g}`;
	const ask = async (want: boolean, dir: -1 | 1): Promise<Span | null> => (want ? api.step(g, span.start_ns, dir) : null);
	const running = span.class === 'running' || span.class === 'syscall';
	Promise.all([
		ask(g !== '' && running && !span.waker, -1),
		ask(g !== '' && isKind(lane, 'g') && !running && span.class !== 'runnable' && !span.open_end, 1),
	]).then(([before, after]) => {
		if (mine !== token)
			return;
		s.selection.value = { lane, span, before, after };
		const w = wakeOf(s.selection.peek()!);
		if (w && w.waker.g !== null)
			say(`${sentence(span)}, ${w.created ? 'created' : 'woken'} by g${w.waker.g}`);
	}, complain);
}

/** Selects the span of a lane at a time, or the next one if it begins within `slack` ns. */
export async function selectAt(lane: string, t: number, slack = 0, drawer = s.drawer.peek()): Promise<boolean> {
	const mine = ++token;
	try {
		let span = await api.span(lane, t);
		if (!span && slack > 0) {
			const next = await api.step(lane, t, 1);
			const prev = next && next.start_ns <= t + slack ? next : await api.step(lane, t, -1);
			if (prev && prev.start_ns <= t + slack && prev.end_ns >= t - slack)
				span = prev;
		}
		if (mine !== token)
			return false;
		if (span)
			choose(span, lane, drawer);
		else
			s.selection.value = null;
		return span !== null;
	} catch (e) {
		complain(e);
		return false;
	}
}

/** The span before or after the selected one, or the first one in sight. */
export async function stepSpan(dir: -1 | 1): Promise<void> {
	const sel = s.selection.peek();
	const lane = sel ? sel.lane : currentLane();
	if (!lane || lane.startsWith('G')) {
		tell('No lane is chosen: choose one with the up and down keys, or click it.');
		return;
	}
	const mine = ++token;
	try {
		const v = s.view.peek();
		const from = dir > 0 ? Math.max(0, v.t0) : Math.min(limits().duration, endOf(v, limits()));
		const span = sel
			? await api.step(lane, sel.span.start_ns, dir)
			: await api.span(lane, from) ?? await api.step(lane, from, dir);
		if (mine !== token)
			return;
		if (!span) {
			tell(dir > 0 ? 'No later span in this lane.' : 'No earlier span in this lane.');
			return;
		}
		choose(span, lane);
		goTo(reveal(destination(), span.start_ns, span.end_ns, limits()));
	} catch (e) {
		complain(e);
	}
}

export function clearSelection(): void {
	token++;
	s.selection.value = null;
	s.range.value = null;
}

export function setRange(t0: number, t1: number): void {
	const d = limits().duration;
	const a = Math.max(0, Math.min(t0, t1));
	const b = Math.min(d, Math.max(t0, t1));
	s.range.value = b > a ? { t0: a, t1: b } : null;
}

/** The range is as wanted: ask for its numbers. */
export function commitRange(): void {
	const r = s.range.peek();
	if (!r)
		return;
	openDrawer('range');
	wantRange(r);
	say(`Range of ${duration(r.t1 - r.t0)} selected`);
}

/** Selects a range and brings it into sight. */
export function showRange(t0: number, t1: number): void {
	setRange(t0, t1);
	const r = s.range.peek();
	if (!r)
		return;
	wantRange(r);
	goTo(fit(r.t0, r.t1, limits(), 0.2));
	say(`Range of ${duration(r.t1 - r.t0)} selected`);
}

export function rangeFromSpan(): void {
	const span = s.selection.peek()?.span;
	if (!span)
		return;
	setRange(span.start_ns, span.end_ns);
	commitRange();
}

// ---- jumps ----

/** Brings a goroutine's lane into sight: opens its group, scrolls there, and shows its life if it is not in view. */
export function showHit(hit: Hit, t?: number, still = false): void {
	const sec = s.sections.peek().find(x => x.kind === 'group' && x.group?.group === hit.group);
	const all = s.sections.peek().find(x => x.kind === 'goroutines');
	if (all)
		setOpen(all, true);
	const own = sec ?? s.sections.peek().find(x => x.kind === 'group' && x.group?.group === hit.group);
	if (!own)
		return;
	setOpen(own, true);
	const id = { section: own.id, index: hit.index };
	s.current.value = id;
	revealRow(id, true);
	lightUp(hit.lane);
	say(`g${hit.id} ${shortFunc(hit.name)}`);
	if (t !== undefined) {
		goTo(reveal(destination(), t, t + 1, limits()));
		return;
	}
	if (!still)
		void showLife(hit);
}

async function showLife(hit: Hit): Promise<void> {
	try {
		const known = pages.known(hit.lane) ?? (await api.lanes(hit.group, hit.index, 1)).lanes[0];
		const t0 = known?.create_ns ?? hit.create_ns ?? 0;
		const t1 = known?.end_ns ?? limits().duration;
		const v = destination();
		const px = (Math.min(t1, endOf(v, limits())) - Math.max(t0, v.t0)) / v.scale;
		if (px < 24)
			goTo(t1 - t0 > v.scale * limits().width ? reveal(v, t0, t1, limits()) : fit(t0, t1, limits(), 0.15));
	} catch (e) {
		complain(e);
	}
}

let flashTimer: ReturnType<typeof setTimeout> | undefined;

function lightUp(lane: string): void {
	s.flash.value = lane;
	clearTimeout(flashTimer);
	flashTimer = setTimeout(() => { s.flash.value = null; }, 1600);
}

/** Jumps to a lane by its name, at a time; `still`: without leaving the time that is in view. */
export async function showLane(lane: string, t?: number, select = false, still = false): Promise<void> {
	const info = s.info.peek();
	const drawer = s.drawer.peek();
	if (!info)
		return;
	if (isKind(lane, 'g')) {
		try {
			const hit = (await api.search(lane, 20)).hits.find(h => h.lane === lane);
			if (!hit) {
				tell(`${lane} is not in this trace.`);
				return;
			}
			showHit(hit, t, still);
		} catch (e) {
			complain(e);
			return;
		}
	} else {
		const kind = isKind(lane, 'p') ? 'procs' : isKind(lane, 'm') ? 'threads' : 'gc';
		const sec = s.sections.peek().find(x => x.kind === kind);
		if (!sec)
			return;
		const index = kind === 'gc' ? (lane === 'gc' ? 0 : 1)
			: (kind === 'procs' ? info.proc_lanes : info.thread_lanes).findIndex(x => x.lane === lane);
		if (index < 0)
			return;
		setOpen(sec, true);
		const id = { section: sec.id, index };
		s.current.value = id;
		revealRow(id, true);
		lightUp(lane);
		if (t !== undefined)
			goTo(reveal(destination(), t, t + 1, limits()));
	}
	if (select && t !== undefined)
		await selectAt(lane, t, 0, drawer);
}

/** Where the last walks to a waker came from, so that one can go back to the woken. */
const trail: { readonly lane: string; readonly t: number }[] = [];

/** To the goroutine that woke or created the selected one, at that moment. */
export async function toWaker(): Promise<void> {
	const sel = s.selection.peek();
	const wake = sel && wakeOf(sel);
	if (!sel || !wake || (wake.waker.g === null && wake.waker.p === null)) {
		tell(sel ? 'Nobody is known to have woken it.' : 'Select a span first.');
		return;
	}
	trail.push({ lane: sel.lane, t: sel.span.start_ns });
	await showLane(wake.waker.g !== null ? `g${wake.waker.g}` : `p${wake.waker.p}`, wake.at, true);
}

/** Back along the way that toWaker() went. */
export async function toWoken(): Promise<void> {
	const back = trail.pop();
	if (!back) {
		tell('No way back: [ goes to the waker first.');
		return;
	}
	await showLane(back.lane, back.t, true);
}

export const canGoBack = (): boolean => trail.length > 0;

/** "1.2s" typed into the search field. */
export function goToTime(text: string): boolean {
	const t = parseTime(text, s.cursor.peek() ?? Math.max(0, s.view.peek().t0));
	if (t === undefined)
		return false;
	const v = destination();
	goTo({ t0: t - v.scale * limits().width / 2, scale: v.scale });
	return true;
}

// ---- search ----

let searchFlight: AbortController | null = null;
const logs_most = 12;

export async function runSearch(q: string): Promise<void> {
	searchFlight?.abort();
	const text = q.trim().replace(/^@/, '');
	if (!text || text.startsWith('>')) {
		s.hits.value = s.logHits.value = null;
		s.hitAt.value = -1;
		s.searching.value = false;
		return;
	}
	const mine = searchFlight = new AbortController();
	s.searching.value = true;
	try {
		const [a, told] = await Promise.all([api.search(text, 100, mine.signal), answer<Told>(question('told', { q: text, n: logs_most }), mine.signal)]);
		s.logHits.value = told;
		s.hits.value = { q: text, total: a.total, list: a.hits };
		s.hitAt.value = -1;
	} catch (e) {
		complain(e);
	} finally {
		if (mine === searchFlight)
			s.searching.value = false;
	}
}

export function goToHit(i: number): void {
	const h = s.hits.peek();
	if (!h || h.list.length === 0)
		return;
	const at = (i + h.list.length) % h.list.length;
	s.hitAt.value = at;
	showHit(h.list[at]!);
}

/** What goroutines did not run for with a function on their stacks: not only those that begin with it. */
export function profileOf(func: string): void {
	profileKind.value = 'offcpu';
	filter.value = `stack:${func}`;
	openDrawer('profile');
}

/** To the goroutine that wrote a message, when it did. */
export async function goToLog(l: LogLine): Promise<void> {
	if (l.g === null)
		goTo(reveal(destination(), l.time_ns, l.time_ns + 1, limits()));
	else
		await showLane(`g${l.g}`, l.time_ns, true);
}
