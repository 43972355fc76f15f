// The drawer at the foot: the selected span, the selected range, the trace.

import { CLASS_TITLE } from '../base/palette';
import { bytes, duration, grouped } from '../base/time';
import { scope } from '../model/answers';
import type { Group, Info, Waker } from '../model/api';
import { shortFunc } from '../model/names';
import { classIndex, isKind, wakeOf } from '../model/select';
import * as s from '../model/state';
import * as a from './actions';
import { Cause } from './answers/cause';
import { Collections } from './answers/collections';
import { FindingsTab } from './answers/findings';
import { Goroutines } from './answers/goroutines';
import { Latency } from './answers/latency';
import { Objects } from './answers/objects';
import { Profiles } from './answers/profiles';
import { ToldFacts } from './answers/told';
import { WaitFacts } from './answers/waits';
import { command, hint, invoke } from './commands';
import { finest, Func, LaneLink, Stack, TimeLink, Times } from './facts';
import { useSignals } from './hooks';

const tabs: readonly (readonly [s.Tab, string, () => preact.JSX.Element | null])[] = [
	['findings', 'Findings', FindingsTab], ['selection', 'Selection', SelectionTab], ['range', 'Statistics', RangeTab], ['goroutines', 'Goroutines', Goroutines], ['profile', 'Profiles', Profiles], ['latency', 'Latency', Latency],
	['cause', 'Cause', Cause], ['gc', 'Collections', Collections], ['objects', 'Waits', Objects], ['trace', 'Trace', TraceTab],
];

export function Drawer(): preact.JSX.Element | null {
	useSignals(s.drawer, s.selection, s.range, s.rangeCounts, s.current, s.info);
	const d = s.drawer.value;
	if (!d.open)
		return null;
	const Body = tabs.find(t => t[0] === d.tab)![2];
	const set = (h: number): void => { s.drawer.value = { ...s.drawer.peek(), height: Math.round(Math.min(Math.max(h, 96), window.innerHeight * 0.7)) }; };
	const down = (e: PointerEvent): void => {
		const el = e.currentTarget as HTMLElement;
		el.setPointerCapture(e.pointerId);
		const off = s.drawer.peek().height + e.clientY;
		const move = (m: PointerEvent): void => set(off - m.clientY);
		el.addEventListener('pointermove', move);
		el.addEventListener('lostpointercapture', () => el.removeEventListener('pointermove', move), { once: true });
	};
	const tabKey = (e: KeyboardEvent): void => {
		const i = tabs.findIndex(t => t[0] === d.tab);
		const dir = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
		if (!dir)
			return;
		e.preventDefault();
		const t = tabs[(i + dir + tabs.length) % tabs.length]![0];
		a.openDrawer(t);
		document.getElementById(`tab-${t}`)?.focus();
	};
	return (
		<section class="drawer" aria-label="Details" style={{ height: `${d.height}px` }}>
			<div class="drawer-grip" role="separator" aria-orientation="horizontal" aria-label="Height of the details" tabIndex={0}
				aria-valuenow={d.height} aria-valuemin={96} aria-valuemax={900} onPointerDown={down}
				onKeyDown={e => {
					const k = e.key === 'ArrowUp' ? 24 : e.key === 'ArrowDown' ? -24 : 0;
					if (k) {
						e.preventDefault();
						set(d.height + k);
					}
				}} />
			<div class="drawer-tabs">
				<div role="tablist" aria-label="Details" onKeyDown={tabKey}>
					{tabs.map(([id, title]) => (
						<button key={id} type="button" id={`tab-${id}`} role="tab" aria-selected={d.tab === id} aria-controls="drawer-body" tabIndex={d.tab === id ? 0 : -1}
							onClick={() => a.openDrawer(id)}>{title}</button>
					))}
				</div>
				<button type="button" class="icon" title={hint('drawer')} aria-label="Close the details" onClick={() => invoke(command('drawer'))}>
					<svg width="14" height="14" viewBox="0 0 16 16" aria-hidden="true"><path d="M3 3l10 10M13 3L3 13" /></svg>
				</button>
			</div>
			<div class="drawer-body" id="drawer-body" role="tabpanel" aria-labelledby={`tab-${d.tab}`} tabIndex={0}>
				<Body />
			</div>
		</section>
	);
}

function SelectionTab(): preact.JSX.Element {
	const sel = s.selection.value;
	if (!sel) {
		const row = s.rowOf(s.current.value);
		const sec = row && s.sections.value[row.section];
		if (sec?.group && row!.index < 0)
			return <GroupFacts g={sec.group} open={sec.open} toggle={() => a.toggle(sec)} />;
		return <p class="hint">Click a span for its details: how long, why, on which proc, with which stack, and who woke it. <kbd>←</kbd> <kbd>→</kbd> walk along the lane.</p>;
	}
	const { span } = sel;
	const len = span.end_ns - span.start_ns;
	const cls = classIndex(span.class);
	const wake = wakeOf(sel);
	const res = finest(len);
	const where = span.lane === 'gc' ? 'GC mark phase' : span.lane === 'stw' ? 'Stop the world' : CLASS_TITLE[cls]!;
	return (
		<div class="facts-grid">
			<div class="facts">
				<h2><i class={`swatch k${cls}`} aria-hidden="true" />{capital(where)} <span class="big">{span.open_end ? '≥ ' : ''}{duration(len)}</span></h2>
				<dl>
					{span.g !== null && <><dt>Goroutine</dt><dd><LaneLink lane={`g${span.g}`} text={`g${span.g}`} t={span.start_ns} select={!isKind(sel.lane, 'g')} /> {span.g_name && <Func name={span.g_name} />}</dd></>}
					{span.state && span.state.toLowerCase() !== span.class && <><dt>State</dt><dd>{span.state}</dd></>}
					{span.reason && <><dt>Reason</dt><dd>{span.reason}</dd></>}
					{span.g !== null && span.state === 'Waiting' && isKind(sel.lane, 'g') && <WaitFacts key={`${span.g} ${span.start_ns}`} g={span.g} t={span.end_ns - 1} />}
					{span.g !== null && <ToldFacts key={`told ${span.g} ${span.start_ns}`} span={span} />}
					{(span.p !== null || span.m !== null) && <><dt>Runs on</dt><dd>
						{span.p !== null && <LaneLink lane={`p${span.p}`} text={`P${span.p}`} t={span.start_ns} />}{span.p !== null && span.m !== null ? ', ' : ''}
						{span.m !== null && <>thread <LaneLink lane={`m${span.m}`} text={`M${span.m}`} t={span.start_ns} /></>}</dd></>}
					<dt>Start</dt><dd><TimeLink t={span.start_ns} res={res} />{span.open_start && <span class="dim"> or earlier: it began before the trace</span>}</dd>
					<dt>End</dt><dd><TimeLink t={span.end_ns} res={res} />{span.open_end && <span class="dim"> or later: the trace ended first</span>}</dd>
				</dl>
				<p class="actions">
					<button type="button" onClick={() => invoke(command('prev-span'))} title={hint('prev-span')}>← Previous</button>
					<button type="button" onClick={() => invoke(command('next-span'))} title={hint('next-span')}>Next →</button>
					<button type="button" onClick={() => invoke(command('fit'))} title={hint('fit')}>Zoom to it</button>
					{span.g !== null && <button type="button" onClick={() => invoke(command('why'))} title={hint('why')}>Why?</button>}
				</p>
			</div>
			<div class="stack-box">
				<h3>{cls === 1 ? 'Stack when it got here' : 'Stack'}</h3>
				<Stack frames={span.stack} none={span.lane === 'gc' ? 'Marking has no stack of its own.' : 'The trace has no stack for this.'} />
			</div>
			<div class="stack-box">
				<h3>{wake?.created ? 'Created by' : 'Woken by'}</h3>
				{wake ? <WakerFacts w={wake.waker} at={wake.at} latency={wake.latency} created={wake.created} />
					: <p class="hint">{sel.before === undefined && span.g !== null ? 'Looking…' : span.open_end ? 'Nobody, as far as the trace goes.' : 'Nobody is known to have woken it.'}</p>}
			</div>
		</div>
	);
}

const capital = (t: string): string => t.charAt(0).toUpperCase() + t.slice(1);

function WakerFacts({ w, at, latency, created }: { w: Waker; at: number; latency: number | undefined; created: boolean }): preact.JSX.Element {
	return (
		<>
			<p class="waker">
				{w.g !== null ? <><LaneLink lane={`g${w.g}`} text={`g${w.g}`} t={at} select /> <Func name={w.name} /></> : 'the runtime'}
				{w.p !== null && <> on <LaneLink lane={`p${w.p}`} text={`P${w.p}`} t={at} select /></>}
				{' '}at <TimeLink t={at} res={1e3} />
				{latency !== undefined && <span class="dim">; then {duration(latency)} until it ran</span>}
				{w.g !== null && <> <button type="button" class="small" onClick={() => void a.toWaker()} title={hint('waker')}>Go there <kbd>[</kbd></button></>}
			</p>
			<Stack frames={w.stack} none={created ? 'No stack of the creation.' : 'No stack of the wake-up.'} />
		</>
	);
}

function GroupFacts({ g, open, toggle }: { g: Group; open: boolean; toggle: () => void }): preact.JSX.Element {
	const rows: readonly (readonly [string, number, number])[] = [['running', g.exec_ns, 1], ['runnable', g.sched_ns, 2], ['in system calls', g.syscall_ns, 6], ['blocked', g.block_ns, 3]];
	return (
		<div class="facts-grid two">
			<div class="facts">
				<h2><Func name={g.name || '(no stack seen)'} /></h2>
				<dl><dt>Goroutines</dt><dd>{grouped(g.n)}</dd><dt>Their time</dt><dd>{duration(g.total_ns)} together, {duration(g.total_ns / g.n)} each</dd></dl>
				<p class="actions"><button type="button" onClick={toggle}>{open ? 'Close the group' : 'Show each goroutine'}</button></p>
			</div>
			<Times rows={rows} total={g.total_ns} caption="Time by state, all its goroutines" />
		</div>
	);
}

function RangeTab(): preact.JSX.Element {
	const r = s.range.value;
	if (!r)
		return <p class="hint">No range is selected. Drag along the time axis, or hold Shift and drag over the lanes.</p>;
	const len = r.t1 - r.t0;
	const c = s.rangeCounts.value;
	const mean = c && c.range.t0 === r.t0 && c.range.t1 === r.t1 ? c.counts.counts.map(x => x[0] ?? 0) : null;
	const rows = (mean ?? []).map((m, i) => [CLASS_TITLE[i + 1]!, m * len, i + 1] as const).sort((x, y) => y[1] - x[1]);
	const total = rows.reduce((n, x) => n + x[1], 0);
	const res = finest(len);
	return (
		<div class="facts-grid two">
			<div class="facts">
				<h2>Range <span class="big">{duration(len)}</span></h2>
				<dl>
					<dt>From</dt><dd><TimeLink t={r.t0} res={res} /></dd>
					<dt>To</dt><dd><TimeLink t={r.t1} res={res} /></dd>
					{mean && <><dt>Running</dt><dd>{grouped(mean[0]!, 2)} goroutines at a time, on average</dd><dt>Runnable</dt><dd>{grouped(mean[1]!, 2)} waiting for a proc, on average</dd></>}
				</dl>
				<p class="actions">
					<button type="button" onClick={() => invoke(command('fit'))} title={hint('fit')}>Zoom to it</button>
					<button type="button" onClick={() => invoke(command('escape'))} title={hint('escape')}>Clear</button>
				</p>
				<p class="actions" role="group" aria-label="Of this range">
					{([['findings', 'Findings'], ['goroutines', 'Goroutines'], ['profile', 'Profiles'], ['latency', 'Latency']] as const).map(([tab, title]) => (
						<button key={tab} type="button" title={`${title} of this range only`} onClick={() => { scope.value = 'range'; a.openDrawer(tab); }}>{title}</button>))}
				</p>
			</div>
			{mean ? <Times rows={rows} total={total} caption="Time by state, all goroutines" /> : <p class="hint">Counting…</p>}
		</div>
	);
}

function wall(info: Info): string {
	if (!info.wall_start_unix_ns)
		return '';
	const ns = BigInt(info.wall_start_unix_ns);
	const d = new Date(Number(ns / 1_000_000n));
	return d.toLocaleString(undefined, { year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, timeZoneName: 'short' });
}

function TraceTab(): preact.JSX.Element | null {
	const info = s.info.value;
	if (!info)
		return null;
	const d = info.damage;
	const when = wall(info);
	return (
		<div class="facts-grid two">
			<div class="facts">
				<h2>{shortFunc(info.file)}</h2>
				<dl>
					<dt>Written by</dt><dd>{info.written_by}</dd>
					<dt>Length</dt><dd>{duration(info.duration_ns)}</dd>
					{when && <><dt>Began</dt><dd>{when}</dd></>}
					<dt>Events</dt><dd>{grouped(info.events)}</dd>
					<dt>Goroutines</dt><dd>{grouped(info.goroutines)} in {grouped(info.groups.length)} groups by start function</dd>
					<dt>Procs, threads</dt><dd>{grouped(info.procs)}, {grouped(info.threads)}</dd>
					<dt>Collections</dt><dd>{grouped(info.gc_count)}, and {grouped(info.stw_count)} stops of the world</dd>
				</dl>
			</div>
			<div class="facts">
				<h2>Health</h2>
				{d ? (
					<>
						<p class="warn"><span aria-hidden="true">⚠ </span>The trace is damaged; everything before the damage is shown.</p>
						<dl>
							<dt>What</dt><dd>{d.what}</dd>
							{d.rule && <><dt>Rule</dt><dd>{d.rule}</dd></>}
							<dt>Where</dt><dd>byte {grouped(d.offset)} of the file</dd>
							<dt>Lost</dt><dd>{bytes(d.lost_bytes)}{d.lost_events > 0 ? `, ${grouped(d.lost_events)} events` : ''}</dd>
						</dl>
					</>
				) : <p class="hint">Whole: it was read to its end.</p>}
				<p class="hint">Drawn with {s.painterName.value === 'webgl2' ? 'WebGL2' : 'Canvas 2D'}.</p>
			</div>
		</div>
	);
}
