// What the server says about a part of the trace: profiles, latencies, collections, causes (docs/server.md).  Asked for
// when somebody looks at it; times are nanoseconds.

import { computed, signal, type ReadonlySignal } from '@preact/signals-core';

import { ask, type Frame } from './api';
import * as s from './state';
import { endOf } from './view';

// ---- answers, typed ----

/** What a goroutine waits for. */
export interface WaitObject {
	readonly kind: string;
	readonly id: string;
	/** That the program gave it. */
	readonly name?: string;
	readonly capacity?: number;
	readonly number?: number;
	readonly waits_to?: 'send' | 'receive';
	readonly holder?: number | null;
}

export interface Waiting {
	readonly g: number;
	readonly name: string;
	readonly since_ns: number;
	readonly open_start: boolean;
	readonly reason: string;
	readonly objects: readonly WaitObject[];
	readonly holder: number | null;
	readonly holder_state?: string;
	readonly cycle: number;
}

/** An object, and all waits for it in the trace. */
export interface Waited extends WaitObject {
	readonly n: number;
	readonly ns: number;
	readonly n_full?: number;
	readonly full_ns?: number;
	readonly n_select?: number;
	readonly longest_ns: number;
	readonly longest_at_ns: number;
	readonly longest_g: number | null;
	readonly waker: number | null;
	readonly holders: readonly { readonly g: number; readonly n: number; readonly ns: number }[];
}

export interface WaitsFor {
	readonly cycles: number;
	/** With a goroutine: it, whom it waits for, and so on. */
	readonly waiting: readonly Waiting[];
	readonly n_objects: number;
	/** What was waited for in the whole trace, most first. */
	readonly objects: readonly Waited[];
}

export interface ProfileStack {
	readonly count: number;
	readonly ns: number;
	readonly state: string | null;
	readonly stack: readonly Frame[]; // innermost first
}

export interface ProfileFunction {
	readonly name: string;
	readonly flat_count: number;
	readonly flat_ns: number;
	readonly cum_count: number;
	readonly cum_ns: number;
}

export interface Profile {
	readonly duration_ns: number;
	readonly count: number;
	readonly ns: number;
	readonly n_stacks: number;
	readonly functions: readonly ProfileFunction[];
	readonly stacks: readonly ProfileStack[];
}

export interface Times {
	readonly total_ns: number;
	readonly exec_ns: number;
	readonly sched_ns: number;
	readonly block_ns: number;
	readonly syscall_ns: number;
	readonly syscall_block_ns: number;
}

export interface GroupRow extends Times {
	readonly name: string;
	readonly n: number;
}

export interface GoroutineRow extends Times {
	readonly id: number;
	readonly name: string;
	readonly create_ns: number | null;
	readonly end_ns: number | null;
	readonly block_by_reason: readonly { readonly reason: string; readonly ns: number }[];
	readonly ranges: readonly { readonly name: string; readonly ns: number }[];
	readonly state: string;
	readonly reason: string;
}

export interface Goroutines {
	readonly rows: number;
	readonly groups?: readonly GroupRow[];
	readonly goroutines?: readonly GoroutineRow[];
}

export interface Bucket {
	readonly from_ns: number;
	readonly to_ns: number;
	readonly n: number;
}

export interface LatencyType {
	readonly name: string;
	readonly func?: string;
	readonly n: number;
	readonly complete: number;
	readonly sum_ns: number;
	readonly p50_ns: number;
	readonly p90_ns: number;
	readonly p99_ns: number;
	readonly max_ns: number;
	readonly histogram: readonly Bucket[];
}

export interface Task {
	readonly id: number;
	readonly name: string;
	readonly start_ns: number | null;
	readonly end_ns: number | null;
	readonly ns: number;
	readonly n_logs: number;
	readonly n_regions: number;
	readonly goroutines: readonly number[];
}

export interface Tasks {
	readonly types: readonly LatencyType[];
	readonly n: number;
	readonly tasks: readonly Task[];
}

export interface Region {
	readonly g: number;
	readonly task: number;
	readonly name: string;
	readonly start_ns: number | null;
	readonly end_ns: number | null;
	readonly ns: number;
	readonly exec_ns: number;
	readonly sched_ns: number;
	readonly block_ns: number;
	readonly syscall_ns: number;
}

export interface Regions {
	readonly types: readonly LatencyType[];
	readonly n: number;
	readonly regions: readonly Region[];
}

export type ByClass = Readonly<Record<string, number>>;

export interface Request {
	readonly name: string;
	readonly source: string;
	readonly task: number | null;
	readonly g: number | null;
	readonly start_ns: number;
	readonly ns: number;
	readonly by_class: ByClass;
}

export interface RequestType {
	readonly name: string;
	readonly source: string;
	readonly n: number;
	readonly p50_ns: number;
	readonly p90_ns: number;
	readonly p99_ns: number;
	readonly max_ns: number;
	readonly worst: Request;
	readonly median: Request;
	readonly slowest: readonly Request[];
}

export interface Requests {
	readonly n: number;
	readonly types: readonly RequestType[];
}

export interface Lost {
	readonly stw: number;
	readonly background: number;
	readonly assist: number;
	readonly sweep: number;
}

export interface MmuPoint {
	readonly window_ns: number;
	readonly mmu: number;
	readonly p0_1: number;
	readonly p1: number;
	readonly p5: number;
}

export interface Mmu {
	readonly series: number;
	readonly duration_ns: number;
	readonly left: number;
	readonly lost: Lost;
	readonly curve: readonly MmuPoint[];
	readonly window_ns: number;
	readonly worst: readonly { readonly start_ns: number; readonly end_ns: number; readonly left: number; readonly lost: Lost }[];
}

export interface Piece {
	readonly from_ns: number;
	readonly to_ns: number;
	readonly g: number | null;
	readonly depth: number;
	readonly class: string;
	readonly reason: string;
	readonly stack: readonly Frame[];
}

export interface Wait {
	readonly n: number;
	readonly ns: number;
	readonly longest_at_ns: number;
	readonly g: number | null;
	readonly waker: number | null;
	readonly stack: readonly Frame[];
	readonly waker_stack: readonly Frame[];
}

export interface Why {
	readonly g: number;
	readonly from_ns: number;
	readonly to_ns: number;
	readonly cut: boolean;
	readonly by_class: ByClass;
	readonly own_ns: number;
	readonly gc_ns: number;
	readonly stw_ns: number;
	readonly pieces: number;
	readonly path: readonly Piece[];
	readonly waits: readonly Wait[];
	readonly ran_instead: readonly { readonly name: string; readonly n: number; readonly ns: number }[];
}

export interface LogLine {
	readonly time_ns: number;
	readonly g: number | null;
	readonly name: string;
	readonly task: number;
	readonly task_name: string;
	readonly category: string;
	readonly message: string;
}

export interface RegionSeen {
	readonly name: string;
	readonly task: number;
	readonly task_name: string;
	readonly start_ns: number | null;
	readonly end_ns: number | null;
}

/** What the program says of itself. */
export interface Told {
	readonly n_logs: number;
	readonly logs: readonly LogLine[];
	readonly n_regions: number;
	readonly regions: readonly RegionSeen[];
}

export interface FindingGoroutine {
	readonly g: number;
	readonly name: string;
	readonly from_ns: number;
	readonly to_ns: number;
}

export interface Finding {
	readonly rule: string;
	readonly severity: number;
	readonly probable: boolean;
	readonly title: string;
	readonly sentence: string;
	readonly why: string;
	readonly next: string;
	readonly measure: string;
	readonly value: number;
	readonly half: number;
	readonly ranges: readonly { readonly from_ns: number; readonly to_ns: number }[];
	readonly goroutines: readonly FindingGoroutine[];
	readonly stacks: readonly { readonly role: string; readonly stack: readonly Frame[] }[];
	readonly coverage: { readonly seen: number; readonly of: number; readonly things: string };
}

export interface Findings {
	readonly n_findings: number;
	readonly worst: number;
	readonly looked_at: { readonly from_ns: number; readonly to_ns: number; readonly events: number; readonly goroutines: number };
	readonly findings: readonly Finding[];
}

// ---- of which part ----

export type Scope = 'whole' | 'view' | 'range';

/** Time that answers are about; `range` is the whole trace while there is none. */
export const scope = signal<Scope>('whole');
/** In the filter language (docs/filter.md); '' for everything. */
export const filter = signal('');

/** Which profile was looked at last, and whose latencies. */
export const profileKind = signal('sched');
export const latencyOf = signal('requests');

/** A span of time as the server reads it; '' for the whole trace. */
const rangeText = (r: s.Range | null): string => (r ? `${Math.floor(r.t0)}ns..${Math.ceil(r.t1)}ns` : '');

/** The time that is asked about now; null: all of it. */
function scopeRange(): s.Range | null {
	const d = s.info.value?.duration_ns ?? 0;
	if (scope.value === 'range')
		return s.range.value;
	if (scope.value === 'whole')
		return null;
	const t0 = Math.max(0, s.view.value.t0);
	const t1 = Math.min(d, endOf(s.view.value, { duration: d, width: s.size.value.width }));
	return t0 <= 0 && t1 >= d ? null : { t0, t1 };
}

/** The time that is asked about now, as text for the server. */
export const askedRange: ReadonlySignal<string> = computed(() => rangeText(scopeRange()));

/** A question as a path: arguments that are '' are left out. */
export function question(name: string, args: Readonly<Record<string, string | number>>): string {
	const list = Object.entries(args).filter(([, v]) => v !== '').map(([k, v]) => `${k}=${encodeURIComponent(v)}`);
	return `api/${name}${list.length > 0 ? `?${list.join('&')}` : ''}`;
}

// A trace does not change: what was answered once need not be asked again.
const kept = new Map<string, unknown>(); // oldest use first
const kept_most = 16;
const background = new Map<string, Promise<unknown>>(); // on their way, and awaited whoever looks away

/** What is known of a question already. */
export function known<T>(path: string): T | undefined {
	const value = kept.get(path);
	if (value !== undefined) {
		kept.delete(path);
		kept.set(path, value);
	}
	return value as T | undefined;
}

function keep(path: string, value: unknown): void {
	kept.set(path, value);
	for (const oldest of kept.keys())
		if (kept.size > kept_most)
			kept.delete(oldest);
}

/** Asks; without a signal it is asked to the end, and whoever asks the same meanwhile waits for that. */
export async function answer<T>(path: string, signal?: AbortSignal): Promise<T> {
	const old = known<T>(path) ?? background.get(path);
	if (old !== undefined)
		return old as T | Promise<T>;
	const flight = ask(path, signal).then(async r => {
		const value = await r.json() as T;
		keep(path, value);
		return value;
	});
	if (!signal) {
		background.set(path, flight);
		flight.catch(() => undefined).finally(() => background.delete(path));
	}
	return flight;
}
