// The part of the address after #: what is seen, selected and asked, so that a link shows the same, and Back goes back.

import { exact, parseTime } from '../base/time';

export interface Place {
	readonly t0?: number;
	readonly t1?: number;
	readonly lane?: string; // selected lane
	readonly at?: number;   // and a time inside the selected span
	readonly range?: { readonly t0: number; readonly t1: number };
	/** What the drawer shows; "none": it is closed. */
	readonly tab?: string;
	/** Of profiles or latencies. */
	readonly kind?: string;
	readonly filter?: string;
	/** Lanes. */
	readonly pins?: readonly string[];
	/** What answers are about: "view" or "range". */
	readonly of?: string;
}

const laneName = /^(?:[pmgG]\d{1,19}|gc|stw)$/;
const word = /^[a-z]{1,20}$/;

function times(text: string | null): { readonly t0: number; readonly t1: number } | undefined {
	const t = /^(.+?)\.\.(.+)$/.exec(text ?? '');
	const t0 = t ? parseTime(t[1]!) : undefined;
	const t1 = t ? parseTime(t[2]!) : undefined;
	return t0 !== undefined && t1 !== undefined && t1 > t0 ? { t0, t1 } : undefined;
}

export function parseHash(hash: string): Place {
	const q = new URLSearchParams(hash.replace(/^#/, ''));
	const out: { -readonly [K in keyof Place]: Place[K] } = { ...times(q.get('t')) };
	const [lane = '', at] = (q.get('sel') ?? '').split('@');
	if (laneName.test(lane)) {
		out.lane = lane;
		const when = at === undefined ? undefined : parseTime(at);
		if (when !== undefined)
			out.at = when;
	}
	const range = times(q.get('range'));
	if (range)
		out.range = range;
	for (const key of ['tab', 'kind', 'of'] as const) {
		const value = q.get(key) ?? '';
		if (word.test(value))
			out[key] = value;
	}
	const pins = (q.get('pin') ?? '').split(',').filter(l => laneName.test(l));
	if (pins.length > 0)
		out.pins = pins;
	const filter = q.get('filter');
	if (filter)
		out.filter = filter;
	return out;
}

const span = (r: { readonly t0: number; readonly t1: number }): string => `${exact(Math.floor(r.t0))}..${exact(Math.ceil(r.t1))}`;

export function formatHash(p: Place): string {
	const parts: string[] = [];
	if (p.t0 !== undefined && p.t1 !== undefined)
		parts.push(`t=${span({ t0: p.t0, t1: p.t1 })}`);
	if (p.lane)
		parts.push(`sel=${p.lane}${p.at === undefined ? '' : `@${exact(p.at)}`}`);
	if (p.range)
		parts.push(`range=${span(p.range)}`);
	for (const key of ['tab', 'kind', 'of'] as const)
		if (p[key])
			parts.push(`${key}=${p[key]}`);
	if (p.pins && p.pins.length > 0)
		parts.push(`pin=${p.pins.join(',')}`);
	if (p.filter)
		parts.push(`filter=${encodeURIComponent(p.filter)}`);
	return parts.length ? `#${parts.join('&')}` : '';
}
