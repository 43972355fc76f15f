// How long things took: user tasks, user regions, requests; by type, with the slowest of each.

import { useState } from 'preact/hooks';

import { duration, grouped } from '../../base/time';
import {
	latencyOf, question, type Bucket, type ByClass, type LatencyType, type Region, type Regions, type Request, type Requests, type RequestType, type Task, type Tasks,
} from '../../model/answers';
import * as a from '../actions';
import { finest, Func, LaneLink, TimeLink } from '../facts';
import { useSignals } from '../hooks';
import { explain } from './cause';
import { States } from './states';
import { ScopeBar, Terminal, useAnswer, useScope } from './scope';

type Of = 'requests' | 'tasks' | 'regions';

const titles: readonly (readonly [Of, string])[] = [['requests', 'Requests'], ['tasks', 'User tasks'], ['regions', 'User regions']];
const rows_most = 1000;
const rows_shown = 100;

export function Latency(): preact.JSX.Element {
	useSignals(latencyOf);
	const of = titles.find(t => t[0] === latencyOf.value)?.[0] ?? 'requests';
	const { range, filter } = useScope();
	const { value, busy, error } = useAnswer<Requests | Tasks | Regions>(question(of, { range, filter: of === 'requests' ? '' : filter, n: rows_most }));
	const fits = value && (of === 'tasks' ? 'tasks' in value : of === 'regions' ? 'regions' in value : !('tasks' in value) && !('regions' in value)) ? value : null;
	return (
		<div class="answer">
			<ScopeBar filtered={of !== 'requests'} busy={busy} first={!value} error={error}>
				<select aria-label="What" value={of} onChange={e => { latencyOf.value = e.currentTarget.value; }}>
					{titles.map(([id, title]) => <option key={id} value={id}>{title}</option>)}
				</select>
			</ScopeBar>
			{fits && (fits.n === 0 ? <None of={of} /> : of === 'tasks' ? <TaskView v={fits as Tasks} /> : of === 'regions' ? <RegionView v={fits as Regions} /> : <RequestView v={fits as Requests} />)}
			<Terminal command={of} range={range} filter={of === 'requests' ? '' : filter} />
		</div>
	);
}

function None({ of }: { of: Of }): preact.JSX.Element {
	return of === 'requests'
		? <p class="hint">No requests: there are no user tasks, and no stacks of an HTTP or gRPC server. <code>trace.NewTask</code> marks what the program does for somebody.</p>
		: <p class="hint">None here. {of === 'tasks' ? <code>trace.NewTask</code> : <code>trace.StartRegion</code>} makes them.</p>;
}

/** A row of the table of types. */
interface Kind {
	readonly key: string;
	readonly name: string;
	readonly n: number;
	readonly p50_ns: number;
	readonly p90_ns: number;
	readonly p99_ns: number;
	readonly max_ns: number;
	readonly extra: preact.ComponentChildren;
}

function Kinds({ list, chosen, choose, extra }: { list: readonly Kind[]; chosen: string; choose: (key: string) => void; extra: string }): preact.JSX.Element {
	return (
		<div class="table-box" tabIndex={0} role="region" aria-label="Types">
			<table class="grid">
				<thead><tr><th scope="col" class="wide">type</th><th scope="col">count</th><th scope="col">median</th><th scope="col">90 %</th><th scope="col">99 %</th><th scope="col">longest</th><th scope="col" class="wide">{extra}</th></tr></thead>
				<tbody>{list.map(k => (
					<tr key={k.key} class={k.key === chosen ? 'chosen' : ''} onClick={() => choose(k.key)}>
						<th scope="row" class="wide"><button type="button" class="pick" aria-pressed={k.key === chosen} onClick={e => {
							e.stopPropagation();
							choose(k.key);
						}}><Func name={k.name || '(no name)'} /></button></th>
						<td>{grouped(k.n)}</td><td>{duration(k.p50_ns)}</td><td>{duration(k.p90_ns)}</td><td>{duration(k.p99_ns)}</td><td>{duration(k.max_ns)}</td><td class="wide">{k.extra}</td>
					</tr>
				))}</tbody>
			</table>
		</div>
	);
}

/** Five bars to a decade, as high as many fell there. */
function Histogram({ list }: { list: readonly Bucket[] }): preact.JSX.Element {
	if (list.length === 0)
		return <span class="dim">–</span>;
	const most = Math.max(...list.map(b => b.n));
	const place = (ns: number): number => Math.round(Math.log10(Math.max(ns, 1)) * 5);
	const first = place(list[0]!.from_ns);
	const n = place(list[list.length - 1]!.from_ns) - first + 1;
	const bar = 7;
	const high = 18;
	return (
		<svg class="bars" width={Math.max(n, 1) * bar} height={high} role="img" aria-label={list.map(b => `${b.n} of ${duration(b.from_ns)} to ${duration(b.to_ns)}`).join(', ')}>
			{list.map(b => {
				const h = Math.max(1.5, (b.n / most) * high);
				return <rect key={b.from_ns} x={(place(b.from_ns) - first) * bar} y={high - h} width={bar - 1} height={h}><title>{`${grouped(b.n)}: ${duration(b.from_ns)} to ${duration(b.to_ns)}`}</title></rect>;
			})}
		</svg>
	);
}

function Slowest({ n, head, children }: { n: number; head: readonly string[]; children: preact.ComponentChildren }): preact.JSX.Element {
	return (
		<div class="table-box" tabIndex={0} role="region" aria-label="The slowest">
			<table class="grid">
				<caption>{n > rows_shown ? `The ${rows_shown} slowest of ${grouped(n)}` : 'Slowest first'}</caption>
				<thead><tr>{head.map((h, i) => <th key={h} scope="col" class={i === 0 ? '' : 'wide'}>{h}</th>)}</tr></thead>
				<tbody>{children}</tbody>
			</table>
		</div>
	);
}

/** Time it took, as the way to see it: a range over the lanes. */
function Took({ start, ns, lane }: { start: number | null; ns: number; lane?: string | undefined }): preact.JSX.Element {
	const from = start ?? 0;
	return <button type="button" class="pick" title="Show it in the lanes" onClick={() => {
		if (lane)
			void a.showLane(lane);
		a.showRange(from, from + ns);
	}}>{duration(ns)}</button>;
}

function Explain({ g, from, ns }: { g: number | null | undefined; from: number | null; ns: number }): preact.JSX.Element | null {
	return g === null || g === undefined ? null : <button type="button" class="small" onClick={() => explain(g, from ?? 0, (from ?? 0) + ns)}>Why?</button>;
}

/** The chosen type, the first one while nobody chose or the chosen one is gone. */
function useChoice(list: readonly Kind[]): readonly [string, (key: string) => void] {
	const [chosen, choose] = useState('');
	return [list.some(k => k.key === chosen) ? chosen : list[0]?.key ?? '', choose];
}

const ofType = (t: LatencyType): Kind => ({ ...t, key: `${t.name}\n${t.func ?? ''}`, extra: <Histogram list={t.histogram} /> });

function TaskView({ v }: { v: Tasks }): preact.JSX.Element {
	const list = v.types.map(ofType);
	const [chosen, choose] = useChoice(list);
	const rows = v.tasks.filter(t => `${t.name}\n` === chosen);
	const row = (t: Task): preact.JSX.Element => (
		<tr key={t.id}>
			<td><Took start={t.start_ns} ns={t.ns} lane={t.goroutines[0] === undefined ? undefined : `g${t.goroutines[0]}`} /></td>
			<td class="wide">{t.start_ns === null ? <span class="dim">before the trace</span> : <TimeLink t={t.start_ns} res={finest(t.ns)} />}{t.end_ns === null && <span class="dim"> not ended</span>}</td>
			<td class="wide">{t.id}</td>
			<td class="wide">{t.goroutines.slice(0, 4).map(g => <span key={g}><LaneLink lane={`g${g}`} text={`g${g}`} {...(t.start_ns === null ? {} : { t: t.start_ns })} /> </span>)}{t.goroutines.length > 4 && <span class="dim">and {t.goroutines.length - 4} more</span>}</td>
			<td class="wide">{t.n_regions} regions, {t.n_logs} messages</td>
			<td class="wide"><Explain g={t.goroutines[0]} from={t.start_ns} ns={t.ns} /></td>
		</tr>
	);
	return (
		<div class="pair">
			<Kinds list={list} chosen={chosen} choose={choose} extra="how they are spread" />
			<Slowest n={rows.length} head={['took', 'began', 'task', 'goroutines', 'told', '']}>{rows.slice(0, rows_shown).map(row)}</Slowest>
		</div>
	);
}

function RegionView({ v }: { v: Regions }): preact.JSX.Element {
	const list = v.types.map(ofType);
	const [chosen, choose] = useChoice(list);
	const rows = v.regions.filter(r => chosen.startsWith(`${r.name}\n`));
	const split = (r: Region): ByClass => ({ running: r.exec_ns, runnable: r.sched_ns, blocked: r.block_ns, syscall: r.syscall_ns });
	const row = (r: Region, i: number): preact.JSX.Element => (
		<tr key={i}>
			<td><Took start={r.start_ns} ns={r.ns} lane={`g${r.g}`} /></td>
			<td class="wide">{r.start_ns === null ? <span class="dim">before the trace</span> : <TimeLink t={r.start_ns} res={finest(r.ns)} />}</td>
			<td class="wide"><LaneLink lane={`g${r.g}`} text={`g${r.g}`} {...(r.start_ns === null ? {} : { t: r.start_ns })} /></td>
			<td class="wide"><States by={split(r)} total={r.ns} /></td>
			<td class="wide"><Explain g={r.g} from={r.start_ns} ns={r.ns} /></td>
		</tr>
	);
	return (
		<div class="pair">
			<Kinds list={list} chosen={chosen} choose={choose} extra="how they are spread" />
			<Slowest n={rows.length} head={['took', 'began', 'goroutine', 'by state', '']}>{rows.slice(0, rows_shown).map(row)}</Slowest>
		</div>
	);
}

function RequestView({ v }: { v: Requests }): preact.JSX.Element {
	const list = v.types.map((t: RequestType): Kind => ({ ...t, key: `${t.source}\n${t.name}`,
		extra: <span class="versus"><States by={t.worst.by_class} total={t.worst.ns} /><States by={t.median.by_class} total={t.median.ns} /></span> }));
	const [chosen, choose] = useChoice(list);
	const type = v.types.find(t => `${t.source}\n${t.name}` === chosen);
	const row = (r: Request, i: number): preact.JSX.Element => (
		<tr key={i}>
			<td><Took start={r.start_ns} ns={r.ns} lane={r.g === null ? undefined : `g${r.g}`} /></td>
			<td class="wide"><TimeLink t={r.start_ns} res={finest(r.ns)} /></td>
			<td class="wide">{r.g !== null && <LaneLink lane={`g${r.g}`} text={`g${r.g}`} t={r.start_ns} />}</td>
			<td class="wide"><States by={r.by_class} total={r.ns} /></td>
			<td class="wide"><Explain g={r.g} from={r.start_ns} ns={r.ns} /></td>
		</tr>
	);
	return (
		<div class="pair">
			<Kinds list={list} chosen={chosen} choose={choose} extra="by state: the slowest, the median" />
			{type && <Slowest n={type.n} head={['took', 'began', 'goroutine', 'by state', '']}>{type.slowest.slice(0, rows_shown).map(row)}</Slowest>}
		</div>
	);
}
