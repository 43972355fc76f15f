// The canvases and the scroll bar beside them.

import { useEffect, useRef } from 'preact/hooks';

import { c2dPainter } from '../draw/c2d';
import { glPainter } from '../draw/gl';
import type { Painter } from '../draw/painter';
import { HEADER_H, OVERVIEW_H } from '../draw/strips';
import { onDrop, tiles } from '../model/data';
import { scaled, spacer, toBar, toContent } from '../model/scroll';
import * as s from '../model/state';
import { endOf, whole } from '../model/view';
import { limits, revealRow, scrollState, setScroll } from './actions';
import { followAddress, readAddress } from './address';
import { startFrames, type Canvases } from './frame';
import { attachHeader, attachLanes, attachOverview, lanesWheel } from './gestures';
import { useSignals } from './hooks';
import { CounterNames, Names } from './names';
import { bindPaper } from './paper';

const give_up_ms = 1500; // a lost context that has not come back by then is replaced by the 2-D painter

/** Puts a canvas with the best painter into `host`. */
function makePainter(host: HTMLElement, force2d: boolean, again: () => void): () => Painter | undefined {
	let painter: Painter | undefined;
	let lost = false;
	const canvas = (): HTMLCanvasElement => {
		const c = document.createElement('canvas');
		c.className = 'lanes-canvas';
		c.setAttribute('aria-hidden', 'true');
		host.prepend(c);
		return c;
	};
	const use = (p: Painter): void => {
		painter = p;
		onDrop.free = t => p.free(t);
		s.painterName.value = p.name;
	};
	const first = canvas();
	let timer: ReturnType<typeof setTimeout> | undefined;
	const gl = force2d ? null : glPainter(first, () => {
		lost = true;
		tiles.resetGpu();
		timer = setTimeout(() => {
			first.remove();
			lost = false;
			use(c2dPainter(canvas()));
			again();
		}, give_up_ms);
	}, () => {
		clearTimeout(timer);
		lost = false;
		tiles.resetGpu();
		again();
	});
	if (gl)
		use(gl);
	else {
		first.remove();
		use(c2dPainter(canvas()));
	}
	return () => (lost ? undefined : painter);
}

export function Timeline(): preact.JSX.Element {
	const scroller = useRef<HTMLDivElement>(null);
	const lanes = useRef<HTMLDivElement>(null);
	const overlay = useRef<HTMLCanvasElement>(null);
	const header = useRef<HTMLCanvasElement>(null);
	const overview = useRef<HTMLCanvasElement>(null);

	useSignals(s.layout, s.size, s.nameWidth);

	useEffect(() => {
		const host = lanes.current!;
		let again: () => void = () => undefined;
		const force2d = new URLSearchParams(location.search).get('draw') === '2d';
		const painter = makePainter(host, force2d, () => again());
		const canvases: Canvases = { overlay: overlay.current!, header: header.current!, overview: overview.current!, painter };
		let placed = false;
		let unfollow = (): void => undefined;
		const measure = (): void => {
			if (s.printing.peek())
				return;
			const r = host.getBoundingClientRect();
			const bar = scroller.current!;
			bar.parentElement!.style.setProperty('--bar', `${bar.offsetWidth - bar.clientWidth}px`);
			const old = s.size.peek();
			const now = { width: Math.max(1, Math.floor(r.width)), height: Math.max(1, Math.floor(r.height)), dpr: window.devicePixelRatio || 1 };
			if (now.width === old.width && now.height === old.height && now.dpr === old.dpr)
				return;
			const v = s.view.peek();
			const t1 = endOf(v, { duration: 0, width: old.width });
			const row = s.rowOf(s.current.peek());
			const seen = row && row.y >= s.scrollTop.peek() && row.y < s.scrollTop.peek() + old.height;
			s.size.value = now;
			if (!placed) {
				placed = true;
				s.view.value = whole(limits());
				readAddress();
				unfollow = followAddress();
			} else if (now.width !== old.width) {
				s.view.value = { t0: v.t0, scale: (t1 - v.t0) / now.width };
			}
			setScroll(s.scrollTop.peek());
			if (seen) // the drawer that tells of a row must not cover it
				revealRow(s.current.peek()!);
		};
		const resized = new ResizeObserver(measure);
		resized.observe(host);
		measure();
		const frames = startFrames(canvases);
		again = frames.again;
		const offs = [bindPaper(host, frames.now), attachLanes(overlay.current!), attachHeader(header.current!), attachOverview(overview.current!)];
		// Rows move with the wheel over the names too; the bar follows.
		const follow = s.scrollTop.subscribe(top => {
			const el = scroller.current!;
			const want = toBar(scrollState(), top);
			if (Math.abs(el.scrollTop - want) >= 1)
				el.scrollTop = want;
		});
		return () => {
			resized.disconnect();
			frames.stop();
			follow();
			unfollow();
			offs.forEach(f => f());
		};
	}, []);

	useEffect(() => {
		// The bar's height has just changed: its thumb belongs where the rows are.
		const el = scroller.current!;
		const want = toBar(scrollState(), s.scrollTop.peek());
		if (Math.abs(el.scrollTop - want) >= 1)
			el.scrollTop = want;
	});

	const onScroll = (): void => {
		const el = scroller.current!;
		const st = scrollState();
		const here = toBar(st, s.scrollTop.peek());
		if (Math.abs(el.scrollTop - here) >= 1)
			setScroll(toContent(st, el.scrollTop));
	};
	const onNamesWheel = (e: WheelEvent): void => {
		if (scaled(scrollState()) || e.ctrlKey)
			lanesWheel(e, 0);
	};

	const st = scrollState();
	const style = { '--names': `${s.nameWidth.value}px` };
	return (
		<div class="timeline" style={style}>
			<div class="strip">
				<TraceCell />
				<canvas ref={overview} class="overview" style={{ height: `${OVERVIEW_H}px` }} role="img"
					aria-label="The whole trace: above the line goroutines on procs, below it those waiting for one. Drag to choose what is seen." />
			</div>
			<div class="head" style={{ height: `${HEADER_H}px` }}>
				<CounterNames />
				<canvas ref={header} class="header" style={{ height: `${HEADER_H}px` }} role="img"
					aria-label="Time axis, goroutines running and runnable, heap and its goal. Drag to select a range of time." />
			</div>
			<div class="scroller" ref={scroller} onScroll={onScroll} tabIndex={-1}>
				<div class="sticky">
					<div class="names-host" onWheel={onNamesWheel}><Names /></div>
					<Splitter />
					<div class="lanes" ref={lanes}>
						<canvas ref={overlay} class="overlay" tabIndex={0} role="application" aria-label="Timeline of lanes"
							aria-describedby="keys-hint" />
					</div>
				</div>
				<div style={{ height: `${Math.max(0, spacer(st) - st.viewport)}px` }} />
			</div>
		</div>
	);
}

function TraceCell(): preact.JSX.Element {
	useSignals(s.info);
	return (
		<div class="cell trace-cell">
			<span class="cell-title">Whole trace</span>
			<span class="swatches" aria-hidden="true"><i class="k1" />running <i class="k2" />runnable</span>
		</div>
	);
}

/** Between names and lanes: drag, or arrow keys. */
function Splitter(): preact.JSX.Element {
	useSignals(s.nameWidth);
	const set = (w: number): void => { s.nameWidth.value = Math.round(Math.min(Math.max(w, 120), 640)); };
	const down = (e: PointerEvent): void => {
		const el = e.currentTarget as HTMLElement;
		el.setPointerCapture(e.pointerId);
		const off = s.nameWidth.peek() - e.clientX;
		const move = (m: PointerEvent): void => set(m.clientX + off);
		el.addEventListener('pointermove', move);
		el.addEventListener('lostpointercapture', () => el.removeEventListener('pointermove', move), { once: true });
	};
	const key = (e: KeyboardEvent): void => {
		const d = e.key === 'ArrowLeft' ? -16 : e.key === 'ArrowRight' ? 16 : 0;
		if (d) {
			e.preventDefault();
			set(s.nameWidth.peek() + d);
		}
	};
	return (
		<div class="splitter" role="separator" aria-orientation="vertical" aria-label="Width of the names" tabIndex={0}
			aria-valuenow={s.nameWidth.value} aria-valuemin={120} aria-valuemax={640} onPointerDown={down} onKeyDown={key} />
	);
}
