// What all answers share: the line that says which part of the trace they are about, and how they are asked for.

import { useEffect, useState } from 'preact/hooks';

import { duration, grouped } from '../../base/time';
import { answer, askedRange, filter, known, scope, type Scope } from '../../model/answers';
import { isAbort } from '../../model/api';
import * as s from '../../model/state';
import { useSignals } from '../hooks';

export interface Answered<T> {
	/** The last answer, also while the next one is on its way. */
	readonly value: T | null;
	readonly busy: boolean;
	/** Why there is none. */
	readonly error: string | null;
}

const settle_ms = 180; // a view that moves is not asked about
const settle_again_ms = 30;

/** Asks for a path whenever it changes, and drops what is no longer wanted; null asks nothing. */
export function useAnswer<T>(path: string | null): Answered<T> {
	const [state, set] = useState<Answered<T> & { readonly path: string | null }>({ path: null, value: null, busy: false, error: null });
	useEffect(() => {
		if (path === null)
			return undefined;
		const value = known<T>(path);
		if (value !== undefined) {
			set({ path, value, busy: false, error: null });
			return undefined;
		}
		const flight = new AbortController();
		set(old => ({ ...old, path, busy: true }));
		const timer = setTimeout(() => {
			answer<T>(path, flight.signal).then(
				value => set({ path, value, busy: false, error: null }),
				(e: unknown) => {
					if (!isAbort(e))
						set({ path, value: null, busy: false, error: e instanceof Error ? e.message : String(e) });
				});
		}, state.value ? settle_ms : settle_again_ms);
		return () => {
			clearTimeout(timer);
			flight.abort();
		};
	}, [path]);
	return path === null ? { value: null, busy: false, error: null } : { ...state, busy: state.busy || state.path !== path };
}

/** Draws again when the part of the trace that is asked about changes; that part, as text for the server. */
export function useScope(): { readonly range: string; readonly filter: string } {
	useSignals(askedRange, filter);
	return { range: askedRange.value, filter: filter.value.trim() };
}

const scopes: readonly (readonly [Scope, string, string])[] = [
	['whole', 'Whole trace', 'All of the trace'],
	['view', 'In view', 'The time that the lanes show'],
	['range', 'Range', 'The selected range'],
];

/** `filtered`: whether the filter says anything to this answer; `first`: there is none to look at yet. */
export function ScopeBar({ filtered, busy, first, error, children }: { filtered: boolean; busy: boolean; first: boolean; error: string | null; children?: preact.ComponentChildren }): preact.JSX.Element {
	useSignals(scope, filter, s.range);
	const r = s.range.value;
	return (
		<>
			<div class="scope">
				{children}
				<div class="segments" role="radiogroup" aria-label="Part of the trace">
					{scopes.map(([id, title, help]) => (
						<button key={id} type="button" role="radio" aria-checked={scope.value === id} disabled={id === 'range' && !r}
							title={id === 'range' && !r ? 'Select a range first: drag along the time axis' : help} onClick={() => { scope.value = id; }}>
							{id === 'range' && r ? `${title} ${duration(r.t1 - r.t0)}` : title}
						</button>
					))}
				</div>
				{filtered && <input type="search" class="filter" aria-label="Filter" placeholder="filter: fn:net/http dur:>10ms" spellcheck={false} value={filter.value}
					title="Words of the filter language, as in weft --filter" onChange={e => { filter.value = e.currentTarget.value; }}
					onKeyDown={e => { if (e.key === 'Enter') filter.value = e.currentTarget.value; }} />}
				<span class={error ? 'scope-state trouble-text' : 'scope-state dim'} role="status">{error ?? (busy ? 'working…' : '')}</span>
			</div>
			{busy && first && <p class="hint working"><i class="dot" /> Going through {grouped(s.info.value?.events ?? 0)} events…</p>}
		</>
	);
}

/** The same question for the terminal. */
export function Terminal({ command, range, filter: f }: { command: string; range: string; filter?: string }): preact.JSX.Element {
	const quoted = (t: string): string => (/^[\w./:=-]+$/.test(t) ? t : `'${t.replace(/'/g, `'\\''`)}'`);
	const file = s.info.value?.file ?? 'trace.out';
	return <p class="terminal dim">In the terminal: <code>{`weft ${command} ${quoted(file)}${range ? ` --range=${range}` : ''}${f ? ` --filter=${quoted(f)}` : ''}`}</code></p>;
}
