// File, search and the buttons.

import { useEffect, useRef } from 'preact/hooks';

import { bytes, duration, grouped, instant } from '../base/time';
import type { LogLine } from '../model/answers';
import type { Damage, Group, Hit } from '../model/api';
import { splitFunc } from '../model/names';
import * as s from '../model/state';
import * as a from './actions';
import { logText } from './answers/told';
import { command, commands, hint, invoke, keyText, type Command } from './commands';
import { useSignals } from './hooks';

export function TopBar(): preact.JSX.Element {
	useSignals(s.info, s.odd, s.drawer, s.themeChoice, s.theme, s.help);
	const info = s.info.value;
	return (
		<header class="topbar">
			<span class="brand"><svg width="18" height="18" viewBox="0 0 16 16" aria-hidden="true"><path d="M1 3.5h14M1 8h14M1 12.5h14" /><path class="warp" d="M4.5 1v5M8 5.5v5M11.5 10v5" /></svg><span class="roomy">weft</span></span>
			<span class="file" title={info?.file}>{info ? fileName(info.file) : ''}</span>
			{info && <button type="button" class="chip chip-button" title="About this trace" onClick={() => a.openDrawer('trace')}>
				{duration(info.duration_ns)}<span class="roomy"> · {info.events === 1 ? '1 event' : `${grouped(info.events)} events`}</span>
			</button>}
			{info?.damage && <DamageChip d={info.damage} />}
			{s.odd.value && s.odd.value.n > 0 && <OddChip odd={s.odd.value} />}
			<Search />
			<div class="buttons" role="toolbar" aria-label="View">
				<Button id="zoom-out" icon="M3 8h10" />
				<Button id="zoom-in" icon="M3 8h10M8 3v10" />
				<Button id="whole" icon="M1.5 3v10M14.5 3v10M4 8h8M6 5.5L3.5 8L6 10.5M10 5.5L12.5 8L10 10.5" />
				<Button id="theme" icon={s.theme.value.name === 'dark' ? 'M13.5 9.5A6 6 0 0 1 6.5 2.5A6 6 0 1 0 13.5 9.5Z' : 'M8 5a3 3 0 1 0 .01 0ZM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1'}
					label={`Theme: ${s.themeChoice.value === 'auto' ? 'as the system' : s.themeChoice.value} (T)`} />
				<Button id="drawer" icon="M2 2.5h12v11H2ZM2 9.5h12" pressed={s.drawer.value.open} />
				<Button id="help" icon="M5.5 6a2.5 2.5 0 1 1 3.5 2.300c-.7.3-1 .8-1 1.700M8 12.800v.4" pressed={s.help.value} />
			</div>
		</header>
	);
}

const fileName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

function Button({ id, icon, label, pressed }: { id: string; icon: string; label?: string; pressed?: boolean }): preact.JSX.Element {
	const c = command(id);
	return (
		<button type="button" class="icon" title={label ?? hint(id)} aria-label={label ?? c.title} aria-pressed={pressed} onClick={() => invoke(c)}>
			<svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true"><path d={icon} /></svg>
		</button>
	);
}

function DamageChip({ d }: { d: Damage }): preact.JSX.Element {
	return (
		<button type="button" class="chip chip-warn" title={d.what} onClick={() => a.openDrawer('trace')}>
			<span aria-hidden="true">⚠</span> damaged{d.lost_bytes > 0 && <span class="roomy">: {bytes(d.lost_bytes)} lost</span>}
		</button>
	);
}

function OddChip({ odd }: { odd: { readonly n: number; readonly worst: number } }): preact.JSX.Element {
	return (
		<button type="button" class={odd.worst >= 50 ? 'chip chip-warn' : 'chip'} title={`${hint('findings')}; the worst is ${odd.worst} of 100`} onClick={() => invoke(command('findings'))}>
			{odd.n === 1 ? '1 finding' : `${odd.n} findings`}
		</button>
	);
}

// ---- search: goroutines and functions; ">" commands; times ----

type Item =
	| { readonly kind: 'group'; readonly g: Group }
	| { readonly kind: 'hit'; readonly hit: Hit; readonly at: number }
	| { readonly kind: 'log'; readonly log: LogLine }
	| { readonly kind: 'stack'; readonly text: string }
	| { readonly kind: 'command'; readonly c: Command }
	| { readonly kind: 'time'; readonly text: string };

const max_groups = 6;

function items(): Item[] {
	const q = s.query.value.trim();
	if (q.startsWith('>')) {
		const words = q.slice(1).trim().toLowerCase().split(/\s+/);
		return commands.filter(c => words.every(w => c.title.toLowerCase().includes(w))).map(c => ({ kind: 'command', c }));
	}
	const out: Item[] = [];
	if (/^[+\-−]?[\d.]+\s*(ns|us|µs|ms|s|min|m)$/i.test(q))
		out.push({ kind: 'time', text: q });
	const low = q.toLowerCase();
	if (low && !/^@?g?\d+$/.test(low))
		for (const g of s.info.value?.groups ?? []) {
			if (out.length >= max_groups)
				break;
			if (g.n > 1 && g.name.toLowerCase().includes(low))
				out.push({ kind: 'group', g });
		}
	s.logHits.value?.logs.forEach(log => out.push({ kind: 'log', log }));
	s.hits.value?.list.forEach((hit, at) => out.push({ kind: 'hit', hit, at }));
	if (/^[^\s"]{3,}$/.test(q) && !/^[@+\-−.\d]|^g\d+$/i.test(q))
		out.push({ kind: 'stack', text: q });
	return out;
}

function take(i: Item): void {
	switch (i.kind) {
	case 'group': {
		const sec = s.sections.peek().find(x => x.group?.group === i.g.group);
		if (sec) {
			a.setOpen(sec, true);
			s.current.value = { section: sec.id, index: -1 };
			const r = s.rowOf(s.current.peek());
			if (r)
				a.setScroll(r.y - 4);
			a.say(`${i.g.name}, ${i.g.n} goroutines`);
		}
		break;
	}
	case 'hit': a.goToHit(i.at); break;
	case 'log': void a.goToLog(i.log); break;
	case 'time': a.goToTime(i.text); break;
	case 'stack': a.profileOf(i.text); break;
	case 'command': invoke(i.c); break;
	}
}

function Search(): preact.JSX.Element {
	useSignals(s.query, s.hits, s.logHits, s.hitAt, s.searchOpen, s.searching, s.info);
	const input = useRef<HTMLInputElement>(null);
	const active = useRef(-1);
	const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
	const list = items();
	const q = s.query.value;
	if (active.current >= list.length)
		active.current = -1;

	useEffect(() => {
		clearTimeout(timer.current);
		active.current = -1;
		timer.current = setTimeout(() => void a.runSearch(q), 120);
	}, [q]);

	const show = s.searchOpen.value && q.trim() !== '';
	const done = (i: Item): void => {
		take(i);
		if (i.kind !== 'hit') {
			s.searchOpen.value = false;
			s.query.value = '';
			input.current?.blur();
			document.querySelector<HTMLElement>('.overlay')?.focus({ preventScroll: true });
		}
	};
	const move = (d: number): void => {
		active.current = list.length === 0 ? -1 : (active.current + d + list.length) % list.length;
		s.searchOpen.value = true;
		s.hitAt.value = s.hitAt.peek(); // the list is drawn again by the line below
		s.query.value = s.query.peek();
		refresh();
	};
	const refresh = (): void => {
		input.current?.setAttribute('aria-activedescendant', active.current >= 0 ? `hit-${active.current}` : '');
		document.querySelectorAll('.hits [role=option]').forEach((el, i) => {
			el.setAttribute('aria-selected', String(i === active.current));
			if (i === active.current)
				el.scrollIntoView({ block: 'nearest' });
		});
	};
	const key = (e: KeyboardEvent): void => {
		if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
			e.preventDefault();
			move(e.key === 'ArrowDown' ? 1 : -1);
		} else if (e.key === 'Enter') {
			e.preventDefault();
			void enter(e.shiftKey);
		} else if (e.key === 'Escape') {
			e.stopPropagation();
			if (s.searchOpen.peek() && q) {
				s.searchOpen.value = false;
			} else {
				s.query.value = '';
				input.current?.blur();
				document.querySelector<HTMLElement>('.overlay')?.focus({ preventScroll: true });
			}
		}
	};
	/** Enter may come before the answer, and before what was typed last has been drawn. */
	const enter = async (back: boolean): Promise<void> => {
		const typed = s.query.peek();
		const chosen = typed === q ? list[active.current] : undefined;
		if (chosen) {
			done(chosen);
			return;
		}
		const first = items()[0];
		if (typed.startsWith('>') || first?.kind === 'time') {
			if (first)
				done(first);
			return;
		}
		clearTimeout(timer.current);
		if (s.hits.peek()?.q !== typed.trim().replace(/^@/, ''))
			await a.runSearch(typed);
		const n = s.hits.peek()?.list.length ?? 0;
		if (n > 0)
			a.goToHit(s.hitAt.peek() + (back ? -1 : 1));
		else if (first)
			done(first);
	};
	const h = s.hits.value;
	const logs = s.logHits.value;
	return (
		<div class="search" role="search">
			<svg width="14" height="14" viewBox="0 0 16 16" aria-hidden="true"><path d="M7 2a5 5 0 1 0 .01 0ZM11 11l3.5 3.5" /></svg>
			<input ref={input} id="search" type="text" autocomplete="off" spellcheck={false} placeholder="Search goroutine, function, message" role="combobox"
				aria-label="Search goroutines, functions and messages" aria-expanded={show} aria-controls="hits" aria-autocomplete="list" value={q}
				onInput={e => {
					s.query.value = e.currentTarget.value;
					s.searchOpen.value = true;
				}}
				onFocus={() => { s.searchOpen.value = true; }}
				onBlur={() => setTimeout(() => { if (document.activeElement !== input.current) s.searchOpen.value = false; }, 150)}
				onKeyDown={key} />
			{h && q && !q.startsWith('>') ? <span class="hit-count">{s.hitAt.value >= 0 ? `${s.hitAt.value + 1} / ` : ''}{grouped(h.total + (logs?.n_logs ?? 0))}</span> : <kbd>/</kbd>}
			<div id="hits" class="hits" role="listbox" aria-label="Results" hidden={!show}>
				{show && list.map((i, n) => (
					<div key={n} id={`hit-${n}`} role="option" aria-selected={n === active.current || (i.kind === 'hit' && i.at === s.hitAt.value)} class="hit"
						onMouseDown={e => e.preventDefault()} onClick={() => done(i)}><ItemText i={i} /></div>
				))}
				{show && list.every(i => i.kind === 'stack') && <div class="hit-none" role="option" aria-selected={false} aria-disabled>
					{s.searching.value || h?.q !== q.trim().replace(/^@/, '') ? 'Searching…' : <>Nothing is called “{q.trim()}”. Try a goroutine number, part of a start function or of a logged message, or a time such as 1.2s.</>}
				</div>}
				{show && logs && logs.n_logs > logs.logs.length && <div class="hit-none" role="option" aria-selected={false} aria-disabled>{grouped(logs.n_logs - logs.logs.length)} more messages: type more of the text.</div>}
				{show && h && h.total > h.list.length && <div class="hit-none" role="option" aria-selected={false} aria-disabled>{grouped(h.total - h.list.length)} more: type more of the name.</div>}
			</div>
		</div>
	);
}

function ItemText({ i }: { i: Item }): preact.JSX.Element {
	switch (i.kind) {
	case 'group': {
		const [pkg, rest] = splitFunc(i.g.name);
		return <><span class="hit-kind">group</span><span class="hit-name"><span class="pkg">{pkg}</span>{rest}</span><span class="hit-more">{grouped(i.g.n)} goroutines</span></>;
	}
	case 'hit': {
		const [pkg, rest] = splitFunc(i.hit.name || '(no stack seen)');
		return <><span class="hit-kind gid">g{i.hit.id}</span><span class="hit-name"><span class="pkg">{pkg}</span>{rest}</span><span class="hit-more">{i.hit.create_ns === null ? '' : `from ${instant(i.hit.create_ns, 1e3)}`}</span></>;
	}
	case 'log':
		return <><span class="hit-kind">log</span><span class="hit-name">{logText(i.log)}</span><span class="hit-more">{i.log.g === null ? '' : `g${i.log.g}, `}{instant(i.log.time_ns, 1e3)}</span></>;
	case 'stack':
		return <><span class="hit-kind">stack</span><span class="hit-name">Time with “{i.text}” on the stack</span><span class="hit-more">profile</span></>;
	case 'time':
		return <><span class="hit-kind">time</span><span class="hit-name">Go to {i.text}</span></>;
	case 'command':
		return <><span class="hit-name">{i.c.title}</span><span class="hit-more"><kbd>{keyText(i.c.keys[0]!)}</kbd></span></>;
	}
}
