// The address: follows what is seen, selected and asked, a new entry for each jump, and shows what it says.

import { effect } from '@preact/signals-core';

import { filter, latencyOf, profileKind, scope } from '../model/answers';
import { api } from '../model/api';
import { complain, pages, wantRange } from '../model/data';
import { formatHash, parseHash, type Place } from '../model/hash';
import { isKind } from '../model/select';
import * as s from '../model/state';
import { endOf, fit, whole } from '../model/view';
import { limits, selectAt, setView, showLane } from './actions';

const settle_ms = 250; // browsers dislike a new address at every frame

/** The last one that was written here. */
let own = '';
let jumps = 0;

/** What the drawer shows, as part of an address. */
function drawerPlace(): Pick<Place, 'tab' | 'kind'> {
	const d = s.drawer.peek();
	if (!d.open)
		return s.selection.peek() ? { tab: 'none' } : {};
	const kind = d.tab === 'profile' ? profileKind.peek() : d.tab === 'latency' ? latencyOf.peek() : '';
	return kind ? { tab: d.tab, kind } : { tab: d.tab };
}

export function hashNow(): string {
	const v = s.view.peek();
	const d = limits().duration;
	const t0 = Math.max(0, v.t0);
	const t1 = Math.min(d, endOf(v, limits()));
	const sel = s.selection.peek();
	const range = s.range.peek();
	return formatHash({
		...(t0 <= 0 && t1 >= d ? {} : { t0, t1 }),
		...(sel ? { lane: sel.lane, at: sel.span.start_ns } : {}),
		...(range ? { range } : {}),
		...drawerPlace(),
		pins: s.pins.peek(),
		filter: filter.peek().trim(),
		of: scope.peek() === 'whole' ? '' : scope.peek(),
	});
}

function write(): void {
	const now = hashNow();
	if (now === location.hash)
		own = now;
	if (now === own)
		return;
	const address = now || location.pathname + location.search;
	if (s.jumps.peek() !== jumps)
		history.pushState(null, '', address);
	else
		history.replaceState(null, '', address);
	own = now;
	jumps = s.jumps.peek();
}

/** Writes the address a moment after something in it has changed. */
export function followAddress(): () => void {
	let timer: ReturnType<typeof setTimeout> | undefined;
	const off = effect(() => {
		void [s.view.value, s.selection.value, s.range.value, s.drawer.value, s.pins.value, s.info.value, filter.value, scope.value, profileKind.value, latencyOf.value];
		clearTimeout(timer);
		if (s.info.peek())
			timer = setTimeout(write, settle_ms);
	});
	return () => {
		off();
		clearTimeout(timer);
	};
}

function showDrawer(p: Place): void {
	const tab = s.TABS.find(t => t === p.tab);
	s.drawer.value = { ...s.drawer.peek(), open: tab !== undefined, tab: tab ?? s.drawer.peek().tab };
	if (p.kind && tab === 'profile')
		profileKind.value = p.kind;
	if (p.kind && tab === 'latency')
		latencyOf.value = p.kind;
}

/** Only lanes that the trace has: a link may be of another one. */
async function showPins(lanes: readonly string[]): Promise<void> {
	const info = s.info.peek()!;
	const has = async (lane: string): Promise<boolean> => {
		if (isKind(lane, 'p') || isKind(lane, 'm'))
			return [...info.proc_lanes, ...info.thread_lanes].some(x => x.lane === lane);
		if (isKind(lane, 'G'))
			return info.groups.some(g => `G${g.group}` === lane);
		if (!isKind(lane, 'g'))
			return true;
		const hit = (await api.search(lane, 20)).hits.find(h => h.lane === lane);
		const found = hit && (await api.lanes(hit.group, hit.index, 1)).lanes[0];
		if (found)
			pages.remember(found);
		return found !== undefined;
	};
	const known = await Promise.all(lanes.map(has));
	s.pins.value = lanes.filter((_, i) => known[i]);
}

async function showSelection(p: Place): Promise<void> {
	// A link that says nothing of the drawer opens it with the span; one that does has said enough.
	const drawer = p.tab === undefined ? s.drawer.peek() : { ...s.drawer.peek() };
	await showLane(p.lane!, undefined, false, p.t0 !== undefined);
	if (p.at !== undefined)
		await selectAt(p.lane!, p.at, 0, drawer);
}

/** Shows what the address says; what it does not say is as in the beginning. */
export function readAddress(): void {
	if (location.hash === own)
		return;
	own = location.hash;
	const p = parseHash(location.hash);
	setView(p.t0 !== undefined && p.t1 !== undefined ? fit(p.t0, p.t1, limits(), 0) : whole(limits()));
	s.range.value = p.range ?? null;
	if (p.range)
		wantRange(p.range);
	scope.value = p.of === 'view' || (p.of === 'range' && p.range) ? p.of : 'whole';
	filter.value = p.filter ?? '';
	s.selection.value = null;
	showDrawer(p);
	showPins(p.pins ?? []).catch(complain);
	jumps = s.jumps.peek();
	if (p.lane)
		void showSelection(p);
}
