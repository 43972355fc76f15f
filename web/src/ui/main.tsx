// The page.

import { effect } from '@preact/signals-core';
import { render } from 'preact';
import { useEffect } from 'preact/hooks';

import './style.css';

import { CLASS_SHORT, css, DARK, inkOn, type Theme } from '../base/palette';
import { bytes, duration } from '../base/time';
import { warmGl } from '../draw/gl';
import { complain, load, loadOdd, loadWhole, seriesBusy } from '../model/data';
import * as s from '../model/state';
import { gliding, setView } from './actions';
import { readAddress } from './address';
import { command, invoke, overlayTitle } from './commands';
import { Drawer } from './drawer';
import { stats } from './frame';
import { Help } from './help';
import { useSignals } from './hooks';
import { bindKeys } from './keys';
import { Timeline } from './timeline';
import { Tooltip } from './tooltip';
import { TopBar } from './topbar';

function App(): preact.JSX.Element {
	useSignals(s.info, s.loading, s.fatal, s.trouble);
	useEffect(bindKeys, []);
	const info = s.info.value;
	return (
		<>
			<TopBar />
			<main>
				{s.fatal.value ? <Fatal text={s.fatal.value} /> : info ? (
					<>
						<div class="stage"><Timeline /><TipHost />{info.goroutines === 0 && <Nothing />}</div>
						<Drawer />
					</>
				) : <Loading />}
				{s.trouble.value && <div class="trouble" role="alert">{s.trouble.value} What is loaded stays here; it is asked for again every two seconds.</div>}
			</main>
			{info && <StatusBar />}
			<Help />
			<Told />
			<Spoken />
		</>
	);
}

/** An empty timeline that does not say why looks like a broken page. */
const Nothing = (): preact.JSX.Element => <p class="nothing hint" role="note">No goroutine is seen in this trace: tracing ended before anything ran.</p>;

function TipHost(): preact.JSX.Element {
	useSignals(s.nameWidth);
	return <div class="tip-host" style={{ left: `${s.nameWidth.value}px` }}><Tooltip /></div>;
}

/** When the first word of progress came, to tell how long the rest will take. */
let loadingSince: { readonly at: number; readonly done: number } | null = null;

function Loading(): preact.JSX.Element {
	const l = s.loading.value;
	if (l && !loadingSince)
		loadingSince = { at: performance.now(), done: l.done };
	const part = l && l.total > 0 ? Math.min(1, l.done / l.total) : undefined;
	const took = loadingSince ? performance.now() - loadingSince.at : 0;
	const gone = l && loadingSince ? l.done - loadingSince.done : 0;
	const left = l && l.total > 0 && gone > 0 && took > 300 ? (took / gone) * (l.total - l.done) : 0;
	return (
		<div class="center" role="status">
			<h1>{l ? <>Reading {fileOf(l.file)}</> : 'Opening'}</h1>
			<progress aria-label="Part of the trace that is read" value={part} max={1} />
			<p>{l ? <>{part !== undefined ? `${(part * 100).toFixed(0)} % of ${bytes(l.total)}` : bytes(l.done)}{left > 0 ? ` · ${duration(left * 1e6)} left` : ''}</> : 'Asking weft for it…'}</p>
		</div>
	);
}

const fileOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

function Fatal({ text }: { text: string }): preact.JSX.Element {
	return (
		<div class="center" role="alert">
			<h1>The trace cannot be shown</h1>
			<p>{text}</p>
			<p><button type="button" onClick={() => location.reload()}>Try again</button></p>
		</div>
	);
}

function StatusBar(): preact.JSX.Element {
	useSignals(s.overlay, s.theme, s.info);
	const info = s.info.value!;
	return (
		<footer class="status">
			<ul class="legend" aria-label="Colours">
				{CLASS_SHORT.map((name, i) => (i > 0 ? <li key={i}><i class={`swatch h${i} k${i}`} aria-hidden="true" />{name}</li> : null))}
				<li><i class="swatch stw" aria-hidden="true" />STW</li>
			</ul>
			<button type="button" class="plain" onClick={() => invoke(command('overlay'))} title="Across the lanes (O)">across lanes: {overlayTitle[s.overlay.value]}</button>
			<span class="hints" id="keys-hint"><kbd>W</kbd><kbd>A</kbd><kbd>S</kbd><kbd>D</kbd> or Ctrl+wheel: zoom, pan · <kbd>/</kbd> search · <kbd>?</kbd> keys</span>
			<span class="dim made">{info.written_by}</span>
		</footer>
	);
}

function Told(): preact.JSX.Element | null {
	useSignals(s.told);
	return s.told.value ? <div class="told" aria-hidden="true">{s.told.value}</div> : null;
}

function Spoken(): preact.JSX.Element {
	useSignals(s.spoken);
	return <div class="sr" role="status" aria-live="polite">{s.spoken.value}</div>;
}

// ---- settings and theme ----

const saved = (key: string): string | null => {
	try {
		return localStorage.getItem(`weft.${key}`);
	} catch {
		return null;
	}
};
const keep = (key: string, value: string): void => {
	try {
		localStorage.setItem(`weft.${key}`, value);
	} catch {
		// A browser that keeps nothing: the next visit starts afresh.
	}
};

function applyTheme(t: Theme): void {
	const root = document.documentElement;
	root.dataset['theme'] = t.name;
	root.style.colorScheme = t.name;
	t.state.forEach((c, i) => {
		root.style.setProperty(`--k${i}`, css(c));
		root.style.setProperty(`--on${i}`, inkOn(c));
	});
	for (const [name, c] of [
		['bg', t.bg], ['bg-head', t.bgHead], ['bg-current', t.bgCurrent], ['line', t.line], ['grid', t.grid], ['ink', t.ink], ['ink-dim', t.inkDim],
		['accent', t.accent], ['related', t.related], ['stw', t.stw], ['brush', t.brush],
	] as const)
		root.style.setProperty(`--${name}`, css(c));
	document.querySelector('meta[name=theme-color]')?.setAttribute('content', css(t.bgHead));
	root.style.setProperty('--link', t === DARK ? '#8fb8ff' : '#1a54b8');
	root.style.setProperty('--time', t === DARK ? '#ff9aa4' : '#b3202f');
}

function watch(query: string, set: (on: boolean) => void): void {
	const m = matchMedia(query);
	set(m.matches);
	m.addEventListener('change', () => set(m.matches));
}

function settings(): void {
	watch('(prefers-color-scheme: dark)', on => { s.systemDark.value = on; });
	watch('(prefers-reduced-motion: reduce)', on => { s.calm.value = on; });
	const theme = saved('theme');
	if (theme === 'light' || theme === 'dark')
		s.themeChoice.value = theme;
	s.singleKeys.value = saved('keys') !== 'off';
	const w = Number(saved('names'));
	if (w >= 120 && w <= 640)
		s.nameWidth.value = w;
	effect(() => keep('theme', s.themeChoice.value));
	effect(() => keep('keys', s.singleKeys.value ? 'on' : 'off'));
	effect(() => keep('names', String(s.nameWidth.value)));
	effect(() => applyTheme(s.theme.value));
}

settings();
render(<App />, document.getElementById('app')!);
window.addEventListener('hashchange', readAddress);
void load(warmGl, () => {
	const info = s.info.value!;
	document.title = `${fileOf(info.file)} – weft`;
	loadWhole().catch(complain);
});
effect(() => {
	if (s.drawn.value)
		setTimeout(() => loadOdd().catch(complain));
});

// For tests and for whoever opens the console: what is seen, and how often it was drawn.
Object.defineProperty(window, 'weft', {
	value: {
		get view() { return s.view.peek(); },
		set view(v) { setView(v); },
		get frames() { return stats.frames; },
		get runs() { return stats.runs; },
		/** Everything in view is here and drawn, and nothing moves. */
		get still() { return !stats.waiting && !stats.pending && !gliding() && !seriesBusy(); },
		get painter() { return s.painterName.peek(); },
		get selection() { return s.selection.peek(); },
		get busy() { return s.searching.peek(); },
	},
});
