// Why a stretch of a goroutine took so long: the critical path, backwards over who woke whom.

import { signal } from '@preact/signals-core';

import { CLASS_TITLE } from '../../base/palette';
import { duration, grouped } from '../../base/time';
import { question, type Piece, type Wait, type Why } from '../../model/answers';
import { classIndex } from '../../model/select';
import * as s from '../../model/state';
import * as a from '../actions';
import { finest, Func, LaneLink, TimeLink, Times } from '../facts';
import { useSignals } from '../hooks';
import { Terminal, useAnswer } from './scope';

/** What is explained. */
const asked = signal<{ readonly g: number; readonly from: number; readonly to: number } | null>(null);

const pieces_most = 300;

export function explain(g: number, from: number, to: number): void {
	asked.value = { g, from: Math.floor(from), to: Math.ceil(to) };
	a.openDrawer('cause');
	a.say(`Why g${g} took ${duration(to - from)}`);
}

/** The selected span, or what its goroutine did in the selected range. */
export function explainSelection(): void {
	const span = s.selection.peek()?.span;
	if (!span || span.g === null) {
		a.tell('Select a span of a goroutine first.');
		return;
	}
	const r = s.range.peek();
	if (r)
		explain(span.g, r.t0, r.t1);
	else
		explain(span.g, span.start_ns, span.end_ns);
}

export function Cause(): preact.JSX.Element {
	useSignals(asked, s.selection, s.range);
	const q = asked.value;
	const { value, busy, error } = useAnswer<Why>(q && question('why', { g: q.g, from: q.from, to: q.to, n: pieces_most }));
	const span = s.selection.value?.span;
	const can = span !== undefined && span.g !== null;
	return (
		<div class="answer">
			<div class="scope">
				<button type="button" class="small" disabled={!can} onClick={explainSelection}>
					{can ? `Explain g${span.g}${s.range.value ? ' in the range' : `, ${duration(span.end_ns - span.start_ns)}`}` : 'Select a span to explain it'}
				</button>
				<span class={error ? 'scope-state trouble-text' : 'scope-state dim'} role="status">{error ?? (busy && q ? 'working…' : '')}</span>
			</div>
			{value && q ? <Path v={value} /> : !q && <p class="hint">Why did it take so long? Select a span of a goroutine, or one and a range around it, and the chain of those it waited for is followed back to its beginning.</p>}
			{q && <Terminal command={`why --goroutine=${q.g}`} range={`${q.from}ns..${q.to}ns`} />}
		</div>
	);
}

function Path({ v }: { v: Why }): preact.JSX.Element {
	const len = v.to_ns - v.from_ns;
	const rows = Object.entries(v.by_class).map(([name, ns]) => [CLASS_TITLE[classIndex(name)]!, ns, classIndex(name)] as const).sort((x, y) => y[1] - x[1]);
	const inside = [v.gc_ns > 0 && `marking ran for ${duration(v.gc_ns)} of it`, v.stw_ns > 0 && `the world stood for ${duration(v.stw_ns)}`].filter(Boolean).join(', ');
	return (
		<>
			<p class="sum">
				<b>{duration(len)}</b> of <LaneLink lane={`g${v.g}`} text={`g${v.g}`} t={v.from_ns} />: {v.own_ns >= len ? 'all of it its own' : `${duration(v.own_ns)} its own, ${duration(len - v.own_ns)} of those it waited for`}
				{inside && `; ${inside}`}{v.cut && '; the older part of the path is not kept'}
			</p>
			<div class="pair">
				<div>
					<Times rows={rows} total={len} caption="The path by state" />
					{v.ran_instead.length > 0 && <Instead v={v} />}
				</div>
				<div>
					{v.waits.length > 0 && <Waits list={v.waits} />}
					<Pieces v={v} />
				</div>
			</div>
		</>
	);
}

function Instead({ v }: { v: Why }): preact.JSX.Element {
	return (
		<table class="grid">
			<caption>Who held the procs while it was ready to run</caption>
			<thead><tr><th scope="col">time</th><th scope="col">stretches</th><th scope="col" class="wide">start function</th></tr></thead>
			<tbody>{v.ran_instead.slice(0, 12).map(r => <tr key={r.name}><td>{duration(r.ns)}</td><td>{grouped(r.n)}</td><th scope="row" class="wide"><Func name={r.name || '(no stack seen)'} /></th></tr>)}</tbody>
		</table>
	);
}

const who = (g: number | null, t: number): preact.JSX.Element => (g === null ? <span class="dim">the runtime</span> : <LaneLink lane={`g${g}`} text={`g${g}`} t={t} select />);

/** The innermost frame that is not the runtime's own: what the program did. */
function place(stack: readonly { readonly func: string }[]): string {
	return (stack.find(f => !/^(runtime|sync|internal)\b/.test(f.func)) ?? stack[0])?.func ?? '';
}

function Waits({ list }: { list: readonly Wait[] }): preact.JSX.Element {
	return (
		<table class="grid">
			<caption>What would help: without these waits the path were shorter by so much at most</caption>
			<thead><tr><th scope="col">gain</th><th scope="col">times</th><th scope="col" class="wide">waited in</th><th scope="col" class="wide">until</th></tr></thead>
			<tbody>{list.slice(0, 12).map((w, i) => (
				<tr key={i}><td>{duration(w.ns)}</td><td>{grouped(w.n)}</td>
					<th scope="row" class="wide">{who(w.g, w.longest_at_ns)} <Func name={place(w.stack)} /></th>
					<td class="wide">{who(w.waker, w.longest_at_ns)} {w.waker_stack.length > 0 && <Func name={place(w.waker_stack)} />}</td></tr>
			))}</tbody>
		</table>
	);
}

function Pieces({ v }: { v: Why }): preact.JSX.Element {
	const res = finest(v.to_ns - v.from_ns);
	const row = (p: Piece, i: number): preact.JSX.Element => {
		const c = classIndex(p.class);
		return (
			<tr key={i}>
				<td><TimeLink t={p.from_ns} res={res} /></td><td>{duration(p.to_ns - p.from_ns)}</td>
				<td class="wide" style={{ paddingLeft: `${Math.min(p.depth, 12) * 10}px` }}>{who(p.g, p.from_ns)}</td>
				<td class="wide"><i class={`swatch k${c}`} aria-hidden="true" />{CLASS_TITLE[c]}{p.reason && <span class="dim"> {p.reason}</span>}</td>
				<td class="wide"><Func name={place(p.stack)} /></td>
			</tr>
		);
	};
	return (
		<table class="grid">
			<caption>{v.pieces > v.path.length ? `The ${grouped(v.path.length)} first pieces of ${grouped(v.pieces)}` : 'The path, by time; who was waited for is set in'}</caption>
			<thead><tr><th scope="col">at</th><th scope="col">for</th><th scope="col" class="wide">goroutine</th><th scope="col" class="wide">state</th><th scope="col" class="wide">in</th></tr></thead>
			<tbody>{v.path.map(row)}</tbody>
		</table>
	);
}
