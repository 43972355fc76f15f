// What goroutines waited for in the whole trace - channels, locks, and who held them - and who waits at a moment.

import { useState } from 'preact/hooks';

import { duration, grouped, instant } from '../../base/time';
import { question, type Waited, type Waiting, type WaitsFor } from '../../model/answers';
import * as s from '../../model/state';
import { endOf } from '../../model/view';
import * as a from '../actions';
import { finest, Func, LaneLink, TimeLink } from '../facts';
import { useSignals } from '../hooks';
import { Terminal, useAnswer } from './scope';
import { nameOf } from './waits';

type Moment = 'end' | 'view' | 'selected';

const rows_most = 300;
const moments: readonly (readonly [Moment, string, string])[] = [
	['end', 'At the end', 'Who waits when the trace ends'],
	['view', 'In view', 'Who waits at the right edge of what the lanes show'],
	['selected', 'Selected span', 'Who waits when the selected span ends'],
];

let lastMoment: Moment = 'end';

function timeOf(moment: Moment): number {
	const end = s.info.value?.duration_ns ?? 0;
	const at = moment === 'view' ? endOf(s.view.value, a.limits()) : moment === 'selected' ? (s.selection.value?.span.end_ns ?? end) : end;
	return Math.max(0, Math.min(Math.floor(at), end) - 1);
}

export function Objects(): preact.JSX.Element {
	useSignals(s.info, s.view, s.selection);
	const [moment, setMoment] = useState(lastMoment);
	const named = s.info.value?.names_objects === true;
	const usable = moment === 'selected' && !s.selection.value ? 'end' : moment;
	const t = timeOf(usable);
	const { value, busy, error } = useAnswer<WaitsFor>(named ? question('waits', { t, n: rows_most }) : null);
	if (!named)
		return <p class="hint">This trace does not say which channel or lock a goroutine waits for: Go's format has no place for that. Traces of C programs on libweft do.</p>;
	return (
		<div class="answer">
			<div class="scope">
				<span>Waiting:</span>
				<div class="segments" role="radiogroup" aria-label="Moment">
					{moments.map(([id, title, help]) => (
						<button key={id} type="button" role="radio" aria-checked={usable === id} disabled={id === 'selected' && !s.selection.value} title={help}
							onClick={() => setMoment(lastMoment = id)}>{title}</button>
					))}
				</div>
				<span class={error ? 'scope-state trouble-text' : 'scope-state dim'} role="status">{error ?? (busy ? 'working…' : '')}</span>
			</div>
			{value && <div class="pair"><Totals list={value.objects} n={value.n_objects} /><Now v={value} t={t} /></div>}
			<Terminal command={usable === 'end' ? 'waits' : `waits --at=${t}ns`} range="" />
		</div>
	);
}

function Totals({ list, n }: { list: readonly Waited[]; n: number }): preact.JSX.Element {
	if (list.length === 0)
		return <p class="hint">Nobody waited for a channel or a lock.</p>;
	return (
		<div class="table-box" tabIndex={0} role="region" aria-label="What was waited for">
			<table class="grid">
				<caption>{n > list.length ? `Waited for in the whole trace: the first ${list.length} of ${grouped(n)}` : 'Waited for in the whole trace'}</caption>
				<thead><tr><th scope="col" class="wide">object</th><th scope="col">waits</th><th scope="col">time</th><th scope="col">longest</th><th scope="col" class="wide">at</th>
					<th scope="col" class="wide">of</th><th scope="col" class="wide">held most by</th></tr></thead>
				<tbody>{list.map(o => {
					const most = o.holders[0];
					return (
						<tr key={`${o.kind} ${o.id}`}>
							<th scope="row" class="wide">{nameOf(o)}{o.capacity !== undefined && <span class="dim"> {o.capacity === 0 ? 'unbuffered' : `of ${o.capacity}`}</span>}</th>
							<td>{grouped(o.n)}</td><td>{duration(o.ns)}</td><td>{duration(o.longest_ns)}</td>
							<td class="wide"><TimeLink t={o.longest_at_ns} res={finest(o.longest_ns)} /></td>
							<td class="wide">{o.longest_g !== null && <LaneLink lane={`g${o.longest_g}`} text={`g${o.longest_g}`} t={o.longest_at_ns} select />}</td>
							<td class="wide">{most && <><LaneLink lane={`g${most.g}`} text={`g${most.g}`} /> <span class="dim">for {duration(most.ns)} of it</span></>}</td>
						</tr>
					);
				})}</tbody>
			</table>
		</div>
	);
}

function Now({ v, t }: { v: WaitsFor; t: number }): preact.JSX.Element {
	const at = instant(t, 1000);
	if (v.waiting.length === 0)
		return <p class="hint">At {at} nobody waits.</p>;
	return (
		<div class="table-box" tabIndex={0} role="region" aria-label="Who waits">
			<table class="grid">
				<caption>Waiting at {at}{v.cycles > 0 && <strong class="warn"> <span aria-hidden="true">⟲ </span>{v.cycles === 1 ? 'a deadlock: those of one circle wait for each other' : `${v.cycles} deadlocks`}</strong>}</caption>
				<thead><tr><th scope="col" class="wide">goroutine</th><th scope="col">since</th><th scope="col" class="wide">for</th><th scope="col" class="wide">held by</th></tr></thead>
				<tbody>{v.waiting.map(w => <Row key={w.g} w={w} t={t} />)}</tbody>
			</table>
		</div>
	);
}

function Row({ w, t }: { w: Waiting; t: number }): preact.JSX.Element {
	return (
		<tr>
			<th scope="row" class="wide"><LaneLink lane={`g${w.g}`} text={`g${w.g}`} t={t} select /> {w.name && <Func name={w.name} />}{w.cycle > 0 && <span class="warn" title={`In circle ${w.cycle}`}> ⟲</span>}</th>
			<td>{duration(t - w.since_ns)}</td>
			<td class="wide">{w.objects.map(nameOf).join(' or ') || w.reason}</td>
			<td class="wide">{w.holder !== null && <LaneLink lane={`g${w.holder}`} text={`g${w.holder}`} t={t} select />}</td>
		</tr>
	);
}
