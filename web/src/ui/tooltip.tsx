// What is under the mouse.

import { useEffect, useRef, useState } from 'preact/hooks';

import { CLASS_TITLE } from '../base/palette';
import { BLENDED, FOLDED, MARK_ASSIST, MARK_LOG, MARK_SAMPLE, MARK_STW, NO_REF } from '../base/tile';
import { duration, grouped, instant } from '../base/time';
import { api, type Span } from '../model/api';
import { names } from '../model/data';
import { goroutineTitle, shortFunc } from '../model/names';
import { isKind } from '../model/select';
import * as s from '../model/state';
import { LogLines } from './answers/told';
import { WaitLine } from './answers/waits';
import { useSignals } from './hooks';

const ask_after_ms = 120;

export function Tooltip(): preact.JSX.Element | null {
	useSignals(s.hover, s.nameWidth, s.size, s.arrivals);
	const [span, setSpan] = useState<Span | null>(null);
	const box = useRef<HTMLDivElement>(null);
	const h = s.hover.value;
	const run = h?.run;
	const id = h && run ? `${h.lane}/${run.t0}/${run.t1}` : '';
	const single = run && run.kind !== BLENDED && run.kind !== FOLDED && h && !isKind(h.lane, 'G');

	// Reason and names come from the server, once the mouse rests.
	useEffect(() => {
		setSpan(null);
		if (!single || !h || !run)
			return;
		const stop = new AbortController();
		const timer = setTimeout(() => {
			api.span(h.lane, Math.max(0, (run.t0 + run.t1) / 2), stop.signal).then(x => setSpan(x), () => undefined);
		}, ask_after_ms);
		return () => {
			clearTimeout(timer);
			stop.abort();
		};
	}, [id]);

	if (!h || !run)
		return null;
	const { width, height } = s.size.value;
	const right = h.x > width - 300;
	const below = h.y < height - 130;
	const style: Record<string, string> = {
		left: `${h.x + (right ? -14 : 14)}px`,
		top: `${h.y + (below ? 16 : -10)}px`,
		transform: `translate(${right ? '-100%' : '0'}, ${below ? '0' : '-100%'})`,
	};
	return (
		<div class="tip" ref={box} style={style} aria-hidden="true">
			{single ? <One h={h} run={run} span={span} /> : <Many h={h} run={run} />}
		</div>
	);
}

function One({ h, run, span }: { h: s.Hover; run: s.HoverRun; span: Span | null }): preact.JSX.Element {
	const len = span ? span.end_ns - span.start_ns : run.t1 - run.t0;
	const who = run.ref !== NO_REF ? names.get(run.ref) : undefined;
	const what = h.lane === 'stw' ? 'stop the world' : h.lane === 'gc' ? 'GC mark phase' : CLASS_TITLE[run.cls];
	return (
		<>
			<div><i class={`swatch k${run.cls}`} /><b>{who ? goroutineTitle(who.id, who.name) : what}</b> {duration(len)}</div>
			{who && <div class="dim">{what}</div>}
			{span?.reason && <div>{span.reason}</div>}
			{span && span.g !== null && span.state === 'Waiting' && s.info.peek()?.names_objects && isKind(h.lane, 'g') && <WaitLine key={`${span.g} ${span.start_ns}`} g={span.g} t={span.end_ns - 1} />}
			{span?.waker && span.waker.g !== null && <div>woken by g{span.waker.g} {shortFunc(span.waker.name)}</div>}
			<div class="dim">from {instant(run.t0, Math.max(1, (run.t1 - run.t0) / 100))}</div>
			<Marks m={run.marks} />
			{(run.marks & MARK_LOG) > 0 && span && span.g !== null && <LogLines key={`${span.g} ${span.start_ns}`} g={span.g} from={span.start_ns} to={span.end_ns} />}
		</>
	);
}

function Many({ h, run }: { h: s.Hover; run: s.HoverRun }): preact.JSX.Element {
	const group = isKind(h.lane, 'G');
	const shares = run.share.map((v, i) => [i + 1, v] as const).filter(x => x[1] >= 0.004).sort((x, y) => y[1] - x[1]);
	const sec = s.sections.peek().find(x => x.headLane === h.lane);
	const n = sec?.group?.n ?? 1;
	return (
		<>
			<div><b>{group ? sec?.title : run.kind === FOLDED ? `${grouped(run.count)} × ${CLASS_TITLE[run.cls]!}` : `${grouped(run.count)} spans`}</b> {group ? '' : `in ${duration(run.t1 - run.t0)}`}</div>
			{shares.map(([cls, v]) => (
				<div key={cls}><i class={`swatch k${cls}`} />{CLASS_TITLE[cls]} <span class="dim">{group ? `${grouped(v * n, v * n < 10 ? 1 : 0)} of ${grouped(n)}` : `${(v * 100).toFixed(v < 0.1 ? 1 : 0)} %`}</span></div>
			))}
			<div class="dim">at {instant(run.t0, Math.max(1, run.t1 - run.t0))}{group ? '' : '; double click zooms in'}</div>
			<Marks m={run.marks} />
			{(run.marks & MARK_LOG) > 0 && isKind(h.lane, 'g') && <LogLines key={`${h.lane} ${run.t0}`} g={Number(h.lane.slice(1))} from={run.t0} to={run.t1} />}
		</>
	);
}

function Marks({ m }: { m: number }): preact.JSX.Element | null {
	const list = [m & MARK_STW ? 'a stop of the world' : '', m & MARK_ASSIST ? 'a mark assist' : '', m & MARK_LOG ? 'a log message' : '', m & MARK_SAMPLE ? 'a CPU sample' : ''].filter(Boolean);
	return list.length > 0 ? <div class="marks">{list.join(', ')}</div> : null;
}
