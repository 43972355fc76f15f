// What the server answers (docs/server.md), typed, and how it is asked.

export interface Damage {
	readonly what: string;
	readonly rule: string;
	readonly offset: number;
	readonly lost_bytes: number;
	readonly lost_events: number;
	readonly lost_generations?: number;
}

export interface NamedLane {
	readonly lane: string;
	readonly id: number;
	readonly name: string;
	readonly events?: number;
}

export interface Group {
	readonly group: number;
	readonly name: string;
	readonly n: number;
	readonly exec_ns: number;
	readonly sched_ns: number;
	readonly block_ns: number;
	readonly syscall_ns: number;
	readonly total_ns: number;
	/** Of a group of one: its goroutine. */
	readonly only?: GoroutineLane;
}

export interface Info {
	readonly loading?: false;
	readonly file: string;
	readonly version: number;
	readonly written_by: string;
	readonly duration_ns: number;
	readonly start_abs_ns: string;
	readonly wall_start_unix_ns: string | null;
	readonly events: number;
	readonly goroutines: number;
	readonly procs: number;
	readonly threads: number;
	/** Whether it says which channels and locks goroutines wait for. */
	readonly names_objects?: boolean;
	readonly gc_count: number;
	readonly stw_count: number;
	readonly classes: readonly string[];
	readonly damage: Damage | null;
	readonly proc_lanes: readonly NamedLane[];
	readonly thread_lanes: readonly NamedLane[];
	readonly group_count?: number;
	readonly groups: readonly Group[];
}

/** While the trace is still being read. */
export interface Loading {
	readonly loading: true;
	readonly file: string;
	readonly doing: string;  // "reading"
	readonly done: number;   // bytes
	readonly total: number;  // bytes, 0 where not known
}

export interface GoroutineLane {
	readonly lane: string;
	readonly id: number;
	readonly name: string;
	readonly create_ns: number | null;
	readonly end_ns: number | null;
	readonly exec_ns: number;
	readonly sched_ns: number;
	readonly block_ns: number;
	readonly syscall_ns: number;
	readonly syscall_block_ns?: number;
}

export interface Lanes {
	readonly group: number;
	readonly first: number;
	readonly n: number;
	readonly lanes: readonly GoroutineLane[];
}

export interface Frame {
	readonly func: string;
	readonly file: string;
	readonly line: number;
	readonly pc: string;
}

export interface Waker {
	readonly g: number | null;
	readonly name: string;
	readonly p: number | null;
	readonly stack: readonly Frame[];
}

export interface Span {
	readonly lane: string;
	readonly start_ns: number;
	readonly end_ns: number;
	readonly class: string;
	readonly state: string | null;
	readonly open_start: boolean;
	readonly open_end: boolean;
	readonly reason: string;
	readonly g: number | null;
	readonly g_name: string;
	readonly p: number | null;
	readonly m: number | null;
	readonly stack: readonly Frame[];
	readonly waker: Waker | null;
}

export interface Counts {
	readonly t: number;
	readonly step: number;
	readonly n: number;
	readonly counts: readonly (readonly number[])[]; // of classes 1 .. 8
}

export interface Metrics {
	readonly t: number;
	readonly step: number;
	readonly n: number;
	readonly heap: readonly (number | null)[];
	readonly goal: readonly (number | null)[];
	readonly gomaxprocs: readonly (number | null)[];
}

export interface Hit {
	readonly lane: string;
	readonly id: number;
	readonly name: string;
	readonly group: number;
	readonly create_ns: number | null;
	readonly index: number;
}

export interface Hits {
	readonly q: string;
	readonly total: number;
	readonly hits: readonly Hit[];
}

export interface RowName {
	readonly row: number;
	readonly id: number;
	readonly name: string;
	readonly group: number;
}

/** The server said no, or nothing at all (status 0). */
export class ApiError extends Error {
	constructor(readonly status: number, message: string) {
		super(message);
	}
}

export const isAbort = (e: unknown): boolean => e instanceof DOMException && e.name === 'AbortError';

export async function ask(path: string, signal?: AbortSignal): Promise<Response> {
	let r: Response;
	try {
		r = await fetch(path, signal ? { signal } : {});
	} catch (e) {
		if (isAbort(e))
			throw e;
		throw new ApiError(0, 'weft does not answer. It may have been stopped.');
	}
	if (r.ok)
		return r;
	let why = `${r.status} ${r.statusText}`;
	try {
		const body = await r.json() as { error?: string };
		if (body.error)
			why = body.error;
	} catch {
		// The status says enough.
	}
	throw new ApiError(r.status, why);
}

const json = async <T>(path: string, signal?: AbortSignal): Promise<T> => (await ask(path, signal)).json() as Promise<T>;

const int = (n: number): string => String(Math.round(n));

export const api = {
	info: async (): Promise<Info | Loading> => json('api/info'),

	lanes: (group: number, from: number, n: number, signal?: AbortSignal): Promise<Lanes> =>
		json(`api/lanes?group=${group}&from=${from}&n=${n}`, signal),

	tiles: async (zoom: number, i: number, lanes: readonly string[], signal?: AbortSignal): Promise<ArrayBuffer> =>
		(await ask(`api/tiles?zoom=${zoom}&i=${i}&lanes=${lanes.join(',')}`, signal)).arrayBuffer(),

	rows: async (rows: readonly number[], signal?: AbortSignal): Promise<readonly RowName[]> =>
		(await json<{ rows: readonly RowName[] }>(`api/rows?rows=${rows.join(',')}`, signal)).rows,

	span: async (lane: string, t: number, signal?: AbortSignal): Promise<Span | null> =>
		spanOf(await json(`api/span?lane=${lane}&t=${int(Math.floor(t))}`, signal)),

	step: async (lane: string, t: number, dir: -1 | 1, signal?: AbortSignal): Promise<Span | null> =>
		spanOf(await json(`api/step?lane=${lane}&t=${int(Math.floor(t))}&dir=${dir}`, signal)),

	counts: (t: number, step: number, n: number, group?: number, signal?: AbortSignal): Promise<Counts> =>
		json(`api/counts?t=${int(t)}&step=${int(step)}&n=${n}${group === undefined ? '' : `&group=${group}`}`, signal),

	metrics: (t: number, step: number, n: number, signal?: AbortSignal): Promise<Metrics> =>
		json(`api/metrics?t=${int(t)}&step=${int(step)}&n=${n}`, signal),

	search: (q: string, n: number, signal?: AbortSignal): Promise<Hits> =>
		json(`api/search?q=${encodeURIComponent(q)}&n=${n}`, signal),
};

function spanOf(a: Span | { span: null }): Span | null {
	return 'span' in a ? null : a;
}
