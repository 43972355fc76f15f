// What a selected span says about other lanes: pure functions.

import { CLASSES } from '../base/palette';
import type { Span, Waker } from './api';
import type { Selection } from './state';

export interface Wake {
	readonly at: number;    // when
	readonly waker: Waker;
	/** How long it then took to get a proc; undefined when the trace does not show it. */
	readonly latency: number | undefined;
	/** It was created then, not woken. */
	readonly created: boolean;
}

const isCreation = (s: Span): boolean => /creat/i.test(s.reason) || /notexist/i.test(s.state ?? '');

/** The wake-up that let the selected span happen: of a wait to run itself, or of the one before it. */
export function wakeOf(sel: Selection): Wake | null {
	const own = sel.span;
	if (own.waker)
		return {
			at: own.start_ns, waker: own.waker, created: isCreation(own),
			latency: own.class === 'runnable' ? own.end_ns - own.start_ns : undefined,
		};
	const b = sel.before;
	if (b?.waker && b.end_ns >= own.start_ns - 1)
		return { at: b.start_ns, waker: b.waker, created: isCreation(b), latency: b.end_ns - b.start_ns };
	const a = sel.after;
	if (a?.waker && a.start_ns <= own.end_ns + 1)
		return { at: a.start_ns, waker: a.waker, created: false, latency: a.class === 'runnable' ? a.end_ns - a.start_ns : undefined };
	return null;
}

/** Lanes that show the same span: its goroutine, its proc, its thread. */
export function sameSpanLanes(span: Span): string[] {
	const out = [span.lane];
	if (span.class === 'running' || span.class === 'syscall')
		for (const l of [span.g !== null ? `g${span.g}` : '', span.p !== null ? `p${span.p}` : '', span.m !== null ? `m${span.m}` : ''])
			if (l && l !== span.lane)
				out.push(l);
	return out;
}

export const classIndex = (name: string): number => Math.max(0, (CLASSES as readonly string[]).indexOf(name));

export const isKind = (lane: string, kind: 'g' | 'p' | 'm' | 'G'): boolean => lane.length > 1 && lane[0] === kind && lane !== 'gc';
