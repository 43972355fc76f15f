// The part of the address after #: what is seen and selected, so that a link shows the same.

import { exact, parseTime } from '../base/time';

export interface Place {
	readonly t0?: number;
	readonly t1?: number;
	readonly lane?: string; // selected lane
	readonly at?: number;   // and a time inside the selected span
}

const laneName = /^(?:[pmgG]\d{1,19}|gc|stw)$/;

export function parseHash(hash: string): Place {
	const out: { t0?: number; t1?: number; lane?: string; at?: number } = {};
	const q = new URLSearchParams(hash.replace(/^#/, ''));
	const t = /^(.+?)\.\.(.+)$/.exec(q.get('t') ?? '');
	if (t) {
		const t0 = parseTime(t[1]!);
		const t1 = parseTime(t[2]!);
		if (t0 !== undefined && t1 !== undefined && t1 > t0) {
			out.t0 = t0;
			out.t1 = t1;
		}
	}
	const [lane = '', at] = (q.get('sel') ?? '').split('@');
	if (laneName.test(lane)) {
		out.lane = lane;
		const when = at === undefined ? undefined : parseTime(at);
		if (when !== undefined)
			out.at = when;
	}
	return out;
}

export function formatHash(p: Place): string {
	const parts: string[] = [];
	if (p.t0 !== undefined && p.t1 !== undefined)
		parts.push(`t=${exact(Math.floor(p.t0))}..${exact(Math.ceil(p.t1))}`);
	if (p.lane)
		parts.push(`sel=${p.lane}${p.at === undefined ? '' : `@${exact(p.at)}`}`);
	return parts.length ? `#${parts.join('&')}` : '';
}
