// What is odd about the trace, worst first: each finding with where to look, who and why it matters.

import { signal } from '@preact/signals-core';

import { duration, grouped, instant } from '../../base/time';
import { question, type Finding, type Findings } from '../../model/answers';
import * as s from '../../model/state';
import * as a from '../actions';
import { finest, Func, LaneLink, Stack } from '../facts';
import { useSignals } from '../hooks';
import { ScopeBar, Terminal, useAnswer, useScope } from './scope';

/** The finding that is shown in full: its rule and place among the rule's. */
const shown = signal(0);

/** How bad, in a word: colour alone says nothing. */
const grade = (severity: number): 'severe' | 'notable' | 'slight' => (severity >= 75 ? 'severe' : severity >= 50 ? 'notable' : 'slight');

export function FindingsTab(): preact.JSX.Element {
	useSignals(shown);
	const { range, filter } = useScope();
	const { value, busy, error } = useAnswer<Findings>(question('findings', { range, filter }));
	const list = value?.findings ?? [];
	const at = Math.min(shown.value, list.length - 1);
	const one = list[at];
	return (
		<div class="answer findings">
			<ScopeBar filtered busy={busy} first={!value} error={error} />
			{value && list.length === 0 && <p class="hint">Nothing odd was found among {grouped(value.looked_at.events)} events of {duration(value.looked_at.to_ns - value.looked_at.from_ns)}.</p>}
			{one && (
				<div class="finding-pair">
					<List list={list} at={at} />
					<Details f={one} />
				</div>
			)}
			<Terminal command="findings" range={range} filter={filter} />
		</div>
	);
}

function List({ list, at }: { list: readonly Finding[]; at: number }): preact.JSX.Element {
	const go = (i: number): void => {
		shown.value = i;
		document.getElementById(`finding-${i}`)?.focus();
	};
	const key = (e: KeyboardEvent): void => {
		const to = e.key === 'ArrowDown' ? at + 1 : e.key === 'ArrowUp' ? at - 1 : e.key === 'Home' ? 0 : e.key === 'End' ? list.length - 1 : -1;
		if (to < 0 || to >= list.length)
			return;
		e.preventDefault();
		go(to);
	};
	return (
		<div class="finding-list" role="listbox" aria-label="Findings, most severe first" onKeyDown={key}>
			{list.map((f, i) => (
				<div key={i} id={`finding-${i}`} role="option" class="finding" aria-selected={i === at} tabIndex={i === at ? 0 : -1}
					onClick={() => { shown.value = i; }} onDblClick={() => jump(f)}
					onKeyDown={e => { if (e.key === 'Enter' || e.key === ' ') { e.preventDefault(); jump(f); } }}>
					<span class={`severity ${grade(f.severity)}`} title={`${grade(f.severity)}: ${f.severity} of 100`}>{f.severity}</span>
					<span class="finding-title">{f.title}{f.probable && <span class="dim"> (probable)</span>}</span>
					<span class="finding-sentence">{f.sentence}.</span>
				</div>
			))}
		</div>
	);
}

/** Shows the worst of it in the lanes, with whom it is about first. */
function jump(f: Finding): void {
	const r = f.ranges[0];
	const g = f.goroutines[0];
	if (!r)
		return;
	a.showRange(r.from_ns, r.to_ns);
	if (g)
		void a.showLane(`g${g.g}`);
	a.say(`${f.title}: ${duration(r.to_ns - r.from_ns)} shown`);
}

function Details({ f }: { f: Finding }): preact.JSX.Element {
	const whole = s.info.value?.duration_ns ?? 1;
	const { seen, of, things } = f.coverage;
	return (
		<article class="finding-details" aria-label={f.title}>
			<h2>{f.title}</h2>
			<p class="sum">{f.sentence}.</p>
			<p class="actions"><button type="button" onClick={() => jump(f)}>Show it in the lanes</button></p>
			<dl>
				<dt>Why it matters</dt><dd>{f.why}</dd>
				<dt>Look next at</dt><dd>{f.next}</dd>
				<dt>When</dt><dd class="chips">{f.ranges.map((r, i) => (
					<button key={i} type="button" class="pick time" title={`Show these ${duration(r.to_ns - r.from_ns)} in the lanes`} onClick={() => a.showRange(r.from_ns, r.to_ns)}>
						{instant(r.from_ns, finest(whole))}</button>))}{f.ranges.length > 1 && <span class="dim"> the worst first</span>}</dd>
				{f.goroutines.length > 0 && <><dt>Who</dt><dd class="chips">{f.goroutines.map(g => <span key={g.g}><LaneLink lane={`g${g.g}`} text={`g${g.g}`} t={g.from_ns} select /> <Func name={g.name || '(no stack seen)'} /></span>)}</dd></>}
				<dt>About</dt><dd>{seen === of ? `all ${grouped(of)}` : `${grouped(seen)} of ${grouped(of)}`} {things}{f.probable && '; probable: a trace does not name what goroutines wait for, places in the code stand for it'}</dd>
				<dt>Severity</dt><dd>{f.severity}: {Number(f.value.toPrecision(3))} {f.measure}; 50 would be {f.half}</dd>
			</dl>
			{f.stacks.map((k, i) => <div key={i} class="stack-box"><h3>{k.role.charAt(0).toUpperCase() + k.role.slice(1)}</h3><Stack frames={k.stack} none="No stack." /></div>)}
		</article>
	);
}
