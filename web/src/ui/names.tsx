// The names beside the lanes: real elements, so that they can be read, found and reached by keyboard.  Only what is on
// screen exists.

import { bytes, duration, grouped } from '../base/time';
import { laneOf, pages } from '../model/data';
import type { Row, Section } from '../model/lanes';
import { splitFunc } from '../model/names';
import { isKind } from '../model/select';
import * as s from '../model/state';
import { AXIS_H, COUNTER_H, readingAt } from '../draw/strips';
import { setCurrent, setOpen, setScroll, toggle, togglePin } from './actions';
import { useSignals } from './hooks';

export function Names(): preact.JSX.Element {
	useSignals(s.layout, s.pins, s.scrollTop, s.size, s.current, s.arrivals, s.selection, s.flash, s.slow);
	const layout = s.layout.value;
	const top = s.scrollTop.value;
	const height = s.size.value.height;
	const rows = s.info.value ? layout.visible(top, top + height) : [];
	const cur = s.current.value;
	const curRow = s.rowOf(cur);
	const total = layout.sections.reduce((n, x) => n + (x.head ? 1 : 0) + (x.open ? x.n : 0), 0);
	const key = (e: KeyboardEvent): void => {
		const r = s.rowOf(s.current.peek());
		const sec = r && s.sections.peek()[r.section];
		if (!r || !sec || e.altKey || e.ctrlKey || e.metaKey)
			return;
		if (e.key === 'ArrowRight') {
			e.preventDefault();
			if (r.index < 0)
				setOpen(sec, true);
		} else if (e.key === 'ArrowLeft') {
			e.preventDefault();
			if (r.index < 0)
				setOpen(sec, false);
			else if (sec.head)
				setCurrent({ section: sec.id, index: -1 });
		}
	};
	const wheel = (e: WheelEvent): void => {
		if (!e.ctrlKey && e.deltaMode === 0)
			return; // the scroll bar's own
		e.preventDefault();
		setScroll(s.scrollTop.peek() + e.deltaY * (e.deltaMode === 1 ? 16 : 1));
	};
	const shown = curRow !== undefined && rows.some(r => r.section === curRow.section && r.index === curRow.index);
	return (
		<div class="names" role="tree" aria-label="Lanes" tabIndex={0} onKeyDown={key} onWheel={wheel}
			aria-activedescendant={shown ? rowDomId(layout.sections[curRow.section]!, curRow.index) : undefined}>
			{rows.map(r => <NameRow key={`${layout.sections[r.section]!.id}/${r.index}`} row={r} top={top} total={total}
				current={curRow?.section === r.section && curRow.index === r.index} />)}
		</div>
	);
}

const rowDomId = (sec: Section, index: number): string => `row-${sec.id.replace(' ', '-')}-${index < 0 ? 'head' : index}`;

function NameRow({ row, top, total, current }: { row: Row; top: number; total: number; current: boolean }): preact.JSX.Element {
	const layout = s.layout.peek();
	const sec = layout.sections[row.section]!;
	const lane = laneOf(sec, row.index);
	const head = row.index < 0;
	const nested = !head && sec.kind === 'group' && sec.head;
	const click = (): void => {
		s.current.value = s.idOf(row);
		if (head && sec.foldable)
			toggle(sec);
	};
	const slow = lane === undefined || s.slow.value.has(lane);
	const cls = ['name', sec.kind === 'pinned' ? 'name-pinned' : '', head ? 'name-head' : '', head && !sec.headLane ? 'name-title' : '', nested ? 'name-nested' : '', current ? 'name-current' : '',
		lane && lane === s.flash.value ? 'name-flash' : '', lane && lane === s.selection.value?.lane ? 'name-selected' : '', row.h < 12 ? 'name-thin' : row.h < 16 ? 'name-small' : ''];
	return (
		<div id={rowDomId(sec, row.index)} class={cls.filter(Boolean).join(' ')} style={{ top: `${row.y - top}px`, height: `${row.h}px` }} role="treeitem"
			aria-level={nested ? 2 : 1} aria-setsize={total} aria-posinset={layout.ordinal(row) + 1} aria-selected={current}
			aria-expanded={head && sec.foldable ? sec.open : undefined} onClick={click}>
			{head ? <HeadName sec={sec} /> : <LaneName sec={sec} index={row.index} lane={lane} />}
			{lane && <Pin lane={lane} />}
			{slow && <i class="dot" title="loading" />}
		</div>
	);
}

/** For the mouse; the keyboard has a key for it. */
function Pin({ lane }: { lane: string }): preact.JSX.Element {
	const on = s.pins.value.includes(lane);
	const title = on ? `Let ${lane} go` : `Pin ${lane} at the top`;
	return (
		<button type="button" class={on ? 'pin pin-on' : 'pin'} tabIndex={-1} title={`${title} (Shift+P)`} aria-label={title} onClick={e => {
			e.stopPropagation();
			togglePin(lane);
		}}><svg width="12" height="12" viewBox="0 0 16 16" aria-hidden="true"><path d="M5 2h6M6 2v4L4 9h8L10 6V2M8 9v5" /></svg></button>
	);
}

function PinnedName({ lane }: { lane: string }): preact.JSX.Element {
	const info = s.info.value!;
	if (isKind(lane, 'g'))
		return <><span class="gid">{lane}</span>{pages.known(lane) && <Func name={pages.known(lane)!.name} />}</>;
	if (isKind(lane, 'G')) {
		const g = info.groups.find(x => `G${x.group}` === lane);
		return <><Func name={g?.name ?? lane} /><span class="count">{grouped(g?.n ?? 0)}</span></>;
	}
	const named = [...info.proc_lanes, ...info.thread_lanes].find(x => x.lane === lane);
	return <span class="name-text">{named?.name ?? (lane === 'gc' ? 'GC mark' : 'Stop the world')}</span>;
}

function HeadName({ sec }: { sec: Section }): preact.JSX.Element {
	const g = sec.group;
	const n = sec.kind === 'goroutines' ? s.info.value?.goroutines ?? 0 : sec.n;
	return (
		<>
			<span class={sec.open ? 'chevron chevron-open' : 'chevron'} aria-hidden="true" />
			{g ? <Func name={g.name} /> : <span class="name-text">{sec.title}</span>}
			<span class="count">{grouped(n)}</span>
			{g && <ShareBar exec={g.exec_ns} sched={g.sched_ns} syscall={g.syscall_ns} block={g.block_ns} />}
		</>
	);
}

function LaneName({ sec, index, lane }: { sec: Section; index: number; lane: string | undefined }): preact.JSX.Element {
	const info = s.info.value!;
	switch (sec.kind) {
	case 'pinned':
		return lane ? <PinnedName lane={lane} /> : <span class="name-text" />;
	case 'gc':
		return index === 0
			? <><span class="name-text">GC mark</span><span class="count">{grouped(info.gc_count)}</span></>
			: <><span class="name-text">Stop the world</span><span class="count">{grouped(info.stw_count)}</span></>;
	case 'procs':
		return <span class="name-text">{info.proc_lanes[index]?.name ?? ''}</span>;
	case 'threads':
		return <span class="name-text">{info.thread_lanes[index]?.name ?? ''}</span>;
	default: {
		const l = lane ? pages.known(lane) : undefined;
		if (!l)
			return <span class="name-text dim">{sec.n === 1 ? sec.title : '…'}</span>;
		return (
			<>
				<span class="gid">g{l.id}</span>
				{sec.n === 1 ? <Func name={l.name || sec.title} /> : <span class="life dim">{life(l.create_ns, l.end_ns)}</span>}
				<ShareBar exec={l.exec_ns} sched={l.sched_ns} syscall={l.syscall_ns} block={l.block_ns} />
			</>
		);
	}
	}
}

function life(create: number | null, end: number | null): string {
	const dur = s.info.peek()?.duration_ns ?? 0;
	const len = (end ?? dur) - (create ?? 0);
	return duration(len);
}

function Func({ name }: { name: string }): preact.JSX.Element {
	const [pkg, rest] = splitFunc(name || '(no stack seen)');
	return <span class="name-text" title={name}>{pkg && <span class="pkg">{pkg}</span>}{rest}</span>;
}

const parts = [['1', 'running'], ['2', 'runnable'], ['6', 'in system calls'], ['3', 'blocked']] as const;

/** Where its time went, as 60 px. */
function ShareBar({ exec, sched, syscall, block }: { exec: number; sched: number; syscall: number; block: number }): preact.JSX.Element {
	const all = [exec, sched, syscall, block];
	const sum = all.reduce((a, b) => a + b, 0);
	if (sum <= 0)
		return <span class="share" />;
	const title = parts.map(([, what], i) => `${what} ${duration(all[i]!)}`).filter((_, i) => all[i]! > 0).join(', ');
	return (
		<span class="share" title={title}>
			{parts.map(([k], i) => (all[i]! > 0 ? <i class={`k${k}`} style={{ width: `${(all[i]! / sum) * 100}%` }} /> : null))}
		</span>
	);
}

/** Names of axis and counters, with what they are under the mouse or in the middle of the view. */
export function CounterNames(): preact.JSX.Element {
	useSignals(s.cursor, s.viewCounts, s.viewMetrics, s.wholeCounts, s.wholeMetrics, s.view, s.info);
	const info = s.info.value;
	const t = s.cursor.value;
	const r = info && t !== null && t >= 0 && t <= info.duration_ns ? readingAt(t) : null;
	const round = (n: number): string => grouped(n, n > 0 && n < 10 && n % 1 >= 0.05 && n % 1 <= 0.95 ? 1 : 0);
	return (
		<div class="counter-names">
			<div class="cell axis-cell" style={{ height: `${AXIS_H}px` }}><Waiting /></div>
			<div class="cell" style={{ height: `${COUNTER_H}px` }}>
				<span class="cell-title">Goroutines</span>
				<span class="cell-value">{r ? <><b>{round(r.running + r.gc)}</b> running · <b>{round(r.runnable)}</b> runnable · {round(r.waiting)} waiting</> : 'running, runnable'}</span>
			</div>
			<div class="cell" style={{ height: `${COUNTER_H}px` }}>
				<span class="cell-title">Heap</span>
				<span class="cell-value">{r && r.heap !== null ? <><b>{bytes(r.heap)}</b>{r.goal !== null ? <> of <span class="goal">{bytes(r.goal)} goal</span></> : null}</> : <>in use, <span class="goal">goal</span></>}</span>
			</div>
		</div>
	);
}

function Waiting(): preact.JSX.Element | null {
	useSignals(s.slow);
	return s.slow.value.size > 0 ? <span class="loading-note"><i class="dot" /> loading</span> : null;
}
